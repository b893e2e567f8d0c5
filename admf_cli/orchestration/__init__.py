"""Workflows of phases: hands on configuration and metadata, gathers results. Refuses to know what a phase is of."""
