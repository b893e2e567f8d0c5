"""The configuration: its schema and its strict loader. Refuses to know what is done with it."""

from __future__ import annotations

from admf_cli.config.load import Resolved, load_config

__all__ = ["Resolved", "load_config"]
