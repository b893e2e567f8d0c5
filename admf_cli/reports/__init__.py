"""Results to table, JSON and files. Computes nothing."""
