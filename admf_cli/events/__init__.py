"""Publish, subscribe, record. Refuses to know what is traded or who is listening."""
