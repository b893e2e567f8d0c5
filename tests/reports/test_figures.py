"""Single figures as people read them."""

from __future__ import annotations

import pytest

from admf_cli.reports.figures import amount, quantity, shown, size


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "ratio", "n/a"),
        (0.12345, "fraction", "12.35%"),
        (-12.5, "fraction", "-1,250.00%"),
        (1234567.891, "currency", "1,234,567.89"),
        (0.0, "ratio", "0.00"),
        (0.00123456, "ratio", "0.001235"),
        (-0.05, "currency", "-0.05"),
        (2.5e20, "currency", "2.5e+20"),
        (7, "count", "7"),
        (1, "bars", "1 bar"),
        (12345, "bars", "12,345 bars"),
        (2.25, "bars", "2.2 bars"),
        (0.0, "days", "0 days"),
        (1.0, "days", "1 day"),
        (0.0104166, "days", "0.01 days"),
        (1.75, "per year", "1.75"),
    ],
)
def test_a_metric_reads_as_its_unit_asks(value: float | None, unit: str, text: str) -> None:
    assert shown(value, unit) == text


def test_amounts_keep_their_sign_and_quantities_their_fraction() -> None:
    assert amount(-1234.5) == "-1,234.50"
    assert quantity(0.12345678) == "0.12345678"
    assert quantity(-1500.0) == "-1,500"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (345_678, "345.7 kB"),
        (336_000_000, "336.0 MB"),
        (5 * 10**12, "5,000.0 GB"),
    ],
)
def test_a_file_size_reads_in_thousands(count: int, text: str) -> None:
    assert size(count) == text
