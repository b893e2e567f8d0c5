"""The trace format, written and read: the one place that knows its keys. Refuses to know what wrote a line."""
