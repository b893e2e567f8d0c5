"""Single figures as people read them. Refuses to know where on the screen they stand."""

from __future__ import annotations

UNDEFINED = "n/a"


def shown(value: float | int | None, unit: str) -> str:
    """Return a metric's value with its unit, as `METRICS` names it; `n/a` where it is undefined."""
    if value is None:
        return UNDEFINED
    if unit == "fraction":
        return f"{value:,.2%}"
    if unit in ("bars", "days"):
        return f"{_count(value)} {unit if value != 1 else unit.removesuffix('s')}"
    if isinstance(value, int):
        return f"{value:,}"
    return amount(value)


def amount(value: float) -> str:
    """Return money or a ratio: two decimals, four digits where they would show nothing, six where it is huge."""
    if 0.0 < abs(value) < 0.1:
        return f"{value:.4g}"
    return f"{value:,.2f}" if abs(value) < 1e15 else f"{value:.6g}"


def quantity(value: float) -> str:
    """Return a number of units, as exact as ten digits allow."""
    return f"{value:,.10g}"


def size(count: int) -> str:
    """Return a number of bytes."""
    number = float(count)
    for unit in ("B", "kB", "MB"):
        if number < 1000.0:
            return f"{number:,.0f} {unit}" if unit == "B" else f"{number:,.1f} {unit}"
        number /= 1000.0
    return f"{number:,.1f} GB"


def _count(value: float) -> str:
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 1.0 else f"{value:.2g}"
