"""Writes the table of TA-Lib's functions from the installed TA-Lib. Refuses to be part of a run.

`python -m admf_cli.features.talib_survey` rewrites `talib_functions.csv`; a test compares the two.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO
from typing import Any

import numpy as np

from admf_cli.features.spec import COLUMNS
from admf_cli.features.talib_bridge import load_talib
from admf_cli.features.talib_functions import TABLE

_FIELDS = ("name", "group", "summary", "inputs", "parameters", "outputs")


def table_of_installed() -> str:
    """Return the table as the installed TA-Lib has it, as CSV; ranges are found by trying values."""
    talib = load_talib()
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_FIELDS)
    for name in sorted(talib.get_functions()):
        function = talib.abstract.Function(name)
        inputs: list[str] = []
        for given in function.input_names.values():
            inputs.extend([given] if isinstance(given, str) else given)
        parameters = "; ".join(
            f"{parameter} {'int' if isinstance(default, int) else 'float'} {default} "
            f"{_bounds(talib, name, parameter, default)}"
            for parameter, default in function.parameters.items()
        )
        info = function.info
        writer.writerow(
            (name, info["group"], info["display_name"], " ".join(inputs), parameters, " ".join(function.output_names))
        )
    return text.getvalue()


def _bounds(talib: Any, name: str, parameter: str, default: float) -> str:
    whole = isinstance(default, int)
    lows: Iterable[float] = (-3e37, 0, 1, 2, 3, 4) if not whole else (0, 1, 2, 3, 4)
    highs: Iterable[float] = (3e37, 100.0, 1.0, 0.99) if not whole else (100_000, *range(40, 0, -1))
    if name == "MAMA":
        lows = (0.0, 0.01)
    low = next(value for value in lows if _accepts(talib, name, parameter, value))
    high = next(value for value in highs if _accepts(talib, name, parameter, value))
    return f"{'-' if abs(low) > 1e37 else f'{low:g}'} {'-' if high > 1e37 else f'{high:g}'}"


def _accepts(talib: Any, name: str, parameter: str, value: float) -> bool:
    function = talib.abstract.Function(name)
    rising = np.arange(1.0, 101.0)
    columns = dict.fromkeys((*COLUMNS, "periods"), rising)
    try:
        function(columns, **{parameter: value})
    except Exception as error:  # noqa: BLE001  TA-Lib raises bare Exception
        return "TA_BAD_PARAM" not in str(error)
    return True


if __name__ == "__main__":
    TABLE.write_text(table_of_installed(), encoding="utf-8")
