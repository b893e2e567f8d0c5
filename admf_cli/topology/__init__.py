"""From configuration and metadata to wired containers. Refuses to know the events package."""
