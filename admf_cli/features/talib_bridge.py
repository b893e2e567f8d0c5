"""Calls TA-Lib. Refuses to know of symbols and gaps, and keeps TA-Lib from loading what nobody asked for.

On import TA-Lib loads pandas and polars, if they are installed, only in order to accept their series: 0.3 to 0.7 s
that a run does not need. They are hidden from it unless they are already loaded. The price: code that later passes
pandas or polars series to TA-Lib in the same process has to pass their arrays instead, or import them before the run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from admf_cli.features.parameters import Fault, ParameterError
from admf_cli.market.bars import FloatArray


def load_talib() -> Any:
    """Return the module `talib`, imported without its optional companions unless they are loaded already."""
    with _hidden("pandas", "polars"):
        import talib
        import talib.abstract

    return talib


@contextmanager
def _hidden(*names: str) -> Iterator[None]:
    """Make `import name` fail for modules that are not loaded yet, for as long as the context lasts."""
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # the documented way to say "there is none"
    try:
        yield
    finally:
        for name in hidden:
            if sys.modules.get(name) is None:
                sys.modules.pop(name, None)


def call(name: str, inputs: Sequence[FloatArray], params: Mapping[str, Any]) -> tuple[FloatArray, ...]:
    """Return the outputs of a TA-Lib function, shape (n,) each, nan until defined.

    Raises:
        ParameterError: the installed TA-Lib lacks the function, or refuses the parameters.
    """
    talib = load_talib()
    n = len(inputs[0])
    try:
        function = getattr(talib, name)
        before = lookback(name, params)
        if n <= before:
            return tuple(np.full(n, np.nan) for _ in talib.abstract.Function(name).output_names)
        result = function(*inputs, **params)
    except AttributeError:
        raise ParameterError(name, [Fault("type", f"is not in the installed TA-Lib {talib.__version__}")]) from None
    except Exception as error:  # noqa: BLE001  TA-Lib raises bare Exception
        raise ParameterError(name, [Fault("", f"TA-Lib refuses it: {error}")]) from None
    outputs = []
    for output in result if isinstance(result, tuple) else (result,):
        column = output.astype(np.float64)
        column[:before] = np.nan  # whole-number outputs are 0 there
        column[~np.isfinite(column)] = np.nan
        outputs.append(column)
    return tuple(outputs)


def lookback(name: str, params: Mapping[str, Any]) -> int:
    """Return how many bars pass before the function's first value."""
    function = load_talib().abstract.Function(name)
    function.parameters = dict(params)
    return int(function.lookback)
