"""Bars from delimited text: one fast reader for well-formed files, one careful reader for all others."""
