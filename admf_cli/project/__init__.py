"""A new project: files to start from, written once. Refuses to overwrite anything."""
