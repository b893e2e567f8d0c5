"""Market data: sources, the shared timeline, calendars. Knows nothing of containers, events or strategies."""
