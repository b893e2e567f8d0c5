"""What one portfolio trades with. Refuses to know what it decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from admf_cli.broker.account import Account
from admf_cli.broker.instrument import Instrument
from admf_cli.market.bars import Bars, FloatArray


class Desk(Struct, frozen=True):
    """The money, the market and its terms, as a portfolio finds them.

    Attributes:
        account: the money; only its portfolio books into it.
        bars: the phase.
        marks: shape (n_bars, n_symbols), last known closes.
        history: warm-up bars and the phase, for sizes that look back.
        first: index in `history` of the phase's first bar.
        periods_per_year: bars a year.
        fills_at_close: market orders fill at the close of the bar they are decided on.
        bar_id: bar, symbol index -> id of the BAR event.
    """

    account: Account
    bars: Bars
    marks: FloatArray
    history: Bars
    first: int
    instruments: Sequence[Instrument]
    periods_per_year: float
    fills_at_close: bool
    bar_id: Callable[[int, int], str]
