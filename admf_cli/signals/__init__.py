"""Decisions that were made before, read again: from the traces of a run, or from a table made elsewhere.

Refuses to know what becomes of them.
"""
