"""What holding costs and earns between two bars: interest on cash, fees for borrowed stock. Pure. Knows no orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

YEAR_US = 365 * 24 * 3600 * 1_000_000


class Accrual(NamedTuple):
    """Account currency for one stretch of time; `interest` is received, or paid where it is negative."""

    interest: float
    borrow_fee: float


def accrual(terms: Mapping[str, float], cash: float, short_value: float, elapsed_us: int) -> Accrual:
    """Return what accrues over a stretch of time, simply, for its share of a year of 365 days.

    Args:
        terms: fractions a year: `cash_interest` on cash above zero, `debit_interest` on cash below, `borrow_fee` on
            the value of short positions.
        cash, short_value: at the stretch's beginning; the short value as a positive number.
        elapsed_us: microseconds.

    Source: actual/365 fixed, ISDA (2006), Definitions, section 4.16(d); as backtrader's `interest` of short positions.
    """
    years = elapsed_us / YEAR_US
    rate = terms["cash_interest"] if cash > 0.0 else terms["debit_interest"]
    return Accrual(cash * rate * years, short_value * terms["borrow_fee"] * years)
