"""Rules that reach across keys and sections, one module per subject. Refuses to know the YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from admf_cli.config.node import Node
from admf_cli.config.rules.catalogue import catalogue_faults
from admf_cli.config.rules.ground import Ground
from admf_cli.config.rules.market import market_faults
from admf_cli.config.rules.modes import mode_faults
from admf_cli.config.rules.money import money_faults
from admf_cli.config.rules.naming import naming_faults
from admf_cli.config.rules.periods import period_faults
from admf_cli.config.rules.user_code import user_code_faults
from admf_cli.errors import Fault


def cross_faults(root: Node, values: Any, directory: Path | None = None) -> list[Fault]:
    """Return every fault between the parts of a configuration; parts unsound in themselves are passed over.

    Args:
        root: what the user wrote, for the places.
        values: the resolved values, or the user's plain data where the schema found faults in them.
        directory: that of the configuration, from which the files of strategies are looked for.
    """
    ground = Ground(root, values if isinstance(values, dict) else {})
    return [
        *market_faults(ground),
        *period_faults(ground),
        *mode_faults(ground),
        *naming_faults(ground),
        *catalogue_faults(ground),
        *user_code_faults(ground, directory),
        *money_faults(ground),
    ]


__all__ = ["cross_faults"]
