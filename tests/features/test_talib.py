"""TA-Lib's functions by name: its own numbers, its own table, and none of its baggage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from admf_cli.features import compute, describe, feature, spec_from_config
from admf_cli.features.own import OWN
from admf_cli.features.talib_bridge import load_talib
from admf_cli.features.talib_functions import TABLE, talib_infos
from admf_cli.features.talib_survey import table_of_installed
from tests.features.markets import bars_of, random_bars

ROOT = Path(__file__).resolve().parents[2]
OURS = {info.name for info in OWN}


def python(code: str) -> str:
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_the_table_of_functions_is_that_of_the_installed_talib() -> None:
    assert TABLE.read_text(encoding="utf-8") == table_of_installed(), "run: python -m admf_cli.features.talib_survey"


@pytest.mark.parametrize("name", [info.name for info in talib_infos() if info.name not in OURS | {"MAVP"}])
def test_every_output_equals_a_direct_call_of_talib(name: str) -> None:
    talib = load_talib()
    bars = random_bars(11, 300, "X", gaps=False)
    info = describe(name)
    columns = {key: getattr(bars, key)[:, 0] for key in ("open", "high", "low", "close", "volume")}
    inputs = [columns[part] for part in info.inputs]
    specs = {output: spec_from_config(name, {"type": name, "output": output}) for output in info.outputs}
    direct = getattr(talib, name)(*inputs, **{p.name: p.default for p in info.parameters})
    found = compute(specs, bars)
    for output, expected in zip(info.outputs, direct if isinstance(direct, tuple) else (direct,), strict=True):
        ours = found[output][:, 0]
        defined = np.isfinite(ours)
        assert np.array_equal(ours[defined], expected[defined].astype(float)), output
        assert not np.isfinite(expected[~defined].astype(float)).any() or not expected[~defined].any(), output


def test_a_variable_period_is_read_from_another_feature() -> None:
    talib = load_talib()
    bars = random_bars(12, 200, "X", gaps=False)
    specs = {
        "periods": feature("RSI", timeperiod=5),
        "it": spec_from_config("it", {"type": "MAVP", "input": ["close", "periods"], "minperiod": 3}),
    }
    found = compute(specs, bars)
    rows = np.isfinite(found["periods"][:, 0])
    expected = talib.MAVP(bars.close[rows, 0], found["periods"][rows, 0], minperiod=3, maxperiod=30)
    assert np.array_equal(found["it"][rows, 0], expected, equal_nan=True)


def test_rsi_begins_with_wilders_mean() -> None:
    # Changes +2 -1 +2 -1: mean gain 4 / 4 = 1, mean loss 2 / 4 = 0.5; 100 - 100 / (1 + 1 / 0.5) = 66.666...
    # then +1: gain (1 * 3 + 1) / 4 = 1, loss (0.5 * 3 + 0) / 4 = 0.375; 100 * 1 / 1.375
    bars = bars_of([10, 12, 11, 13, 12, 13])
    found = compute({"rsi": feature("RSI", timeperiod=4)}, bars)["rsi"][:, 0]
    assert np.isnan(found[:4]).all()
    assert found[4:].tolist() == pytest.approx([200 / 3, 100 / 1.375])


def test_bollinger_bands_use_the_population_deviation() -> None:
    # mean of 1, 2, 6 is 3, population variance (4 + 1 + 9) / 3
    spec = feature("BBANDS", timeperiod=3, nbdevup=2.0, nbdevdn=2.0)
    upper = compute({"u": spec}, bars_of([1, 2, 6]))["u"][2, 0]
    assert upper == pytest.approx(3 + 2 * (14 / 3) ** 0.5)


def test_sma_loads_no_talib_and_talib_loads_neither_pandas_nor_polars() -> None:
    code = (
        "import sys; from admf_cli.features import compute, feature; from tests.features.markets import bars_of\n"
        "bars = bars_of([1.0, 2.0, 3.0])\n"
        "compute({'x': feature('SMA', timeperiod=2)}, bars); print('talib' in sys.modules)\n"
        "compute({'x': feature('EMA', timeperiod=2)}, bars); print('talib' in sys.modules)\n"
        "print([name for name in ('pandas', 'polars') if name in sys.modules])\n"
        "import polars; print(polars.DataFrame({'a': [1]}).height)"
    )
    assert python(code).split("\n") == ["False", "True", "[]", "1"]


def test_talib_keeps_companions_that_are_loaded_already() -> None:
    code = (
        "import sys, polars; from admf_cli.features.talib_bridge import load_talib\n"
        "load_talib(); print(sys.modules['polars'] is polars)"
    )
    assert python(code) == "True"


def test_a_refusal_of_talib_names_the_feature() -> None:
    from admf_cli.features import ParameterError
    from admf_cli.features.talib_bridge import call

    with pytest.raises(ParameterError, match="TA-Lib refuses it"):
        call("RSI", [np.arange(1.0, 101.0)], {"timeperiod": -1})
