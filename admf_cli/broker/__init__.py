"""Matching, costs and accounts: pure functions and plain values. Refuses to know of events, containers and YAML."""
