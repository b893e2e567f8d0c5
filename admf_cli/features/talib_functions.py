"""TA-Lib's functions as a table, so that naming one does not load TA-Lib. Refuses to call them.

The table `talib_functions.csv` stands beside this file; `talib_survey` writes it anew.
"""

from __future__ import annotations

import csv
from pathlib import Path

from admf_cli.features.parameters import Parameter
from admf_cli.features.spec import COLUMNS, FeatureInfo

TABLE = Path(__file__).with_name("talib_functions.csv")
_DOCS = {
    "timeperiod": "number of bars",
    "matype": "kind of average, as MA_Type in TA-Lib: 0 SMA, 1 EMA, 2 WMA, 3 DEMA, 4 TEMA, 5 TRIMA, 6 KAMA, 7 MAMA, "
    "8 T3, 9 HMA, 10 none, 11 the function's own, 12 ZLEMA, 13 Wilder",
    "period": "number of bars",
    "nbdev": "number of standard deviations",
    "penetration": "share of the body that has to be penetrated",
}


def talib_infos() -> tuple[FeatureInfo, ...]:
    """Return what is known of every TA-Lib function."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return tuple(_info(row) for row in csv.DictReader(lines))


def _info(row: dict[str, str]) -> FeatureInfo:
    return FeatureInfo(
        name=row["name"],
        summary=row["summary"],
        source=f"TA-Lib's {row['name']} (ta-lib.org)",
        parameters=tuple(_parameter(text) for text in row["parameters"].split("; ") if text),
        inputs=tuple(name if name in COLUMNS else "" for name in row["inputs"].split()),
        outputs=tuple(row["outputs"].split()),
        group=row["group"],
    )


def _parameter(text: str) -> Parameter:
    name, kind, default, low, high = text.split()
    number = int if kind == "int" else float
    doc = next((doc for part, doc in _DOCS.items() if part in name), "")
    return Parameter(
        name,
        kind,
        number(default),
        minimum=None if low == "-" else float(low),
        maximum=None if high == "-" else float(high),
        doc=doc,
    )
