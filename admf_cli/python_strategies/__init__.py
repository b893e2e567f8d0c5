"""A user's own strategies in Python: found, loaded, checked, called. Refuses to know of events and containers.

`interface` says what a user writes, `source` and `loading` find and load it, `calls` runs it and says where it failed.
"""
