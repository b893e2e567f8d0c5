"""Numbers so large or small that arithmetic on them would leave a double's range are refused before anything runs."""

from __future__ import annotations

import pytest

from admf_cli.config import load_config
from admf_cli.errors import ConfigError

SOUND = {
    "data": {"source": "synthetic", "symbols": ["A"]},
    "strategies": [{"name": "s", "type": "buy_and_hold"}],
    "risk_profiles": [{"name": "r", "sizing": {"type": "fixed", "quantity": 1}}],
}


@pytest.mark.parametrize(
    ("override", "rule"),
    [
        ("instruments.default.lot_size=5e-324", "at least 1e-08"),
        ("instruments.default.multiplier=1e-300", "at least 1e-12"),
        ("instruments.default.tick_size=1e300", "at most 1e.15"),
        ("portfolio.initial_capital=1e-13", "at least 1e-12"),
        ("risk_profiles[0].sizing.quantity=1e300", "at most 1e.15"),
        ("risk_profiles[0].stop_loss={amount: 1e300}", "at most 1e.15"),
        ("execution.commission={type: per_trade, amount: 1e300}", "at most 1e.15"),
        ("data.periods_per_year=1e300", "at most 1e.15"),
    ],
)
def test_a_number_out_of_all_proportion_is_refused(override: str, rule: str) -> None:
    with pytest.raises(ConfigError, match=rule):
        load_config(SOUND, [override])


@pytest.mark.parametrize("mark", ['"\\""', "a", "1", '"."', '"-"', '"\\n"', '"\\0"', "ab", '""', '" "'])
def test_a_delimiter_that_cells_may_hold_is_refused(mark: str) -> None:
    data = f"data={{source: csv, path: x.csv, delimiter: {mark}}}"
    if mark == '" "':
        assert load_config(SOUND, [data]).values["data"]["delimiter"] == " "
        return
    with pytest.raises(ConfigError):
        load_config(SOUND, [data])
