"""Results to table, JSON, files and gates. Computes nothing."""
