"""The features container: every column that a strategy needs, computed once. Refuses to know who reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from admf_cli.containers.base import Container
from admf_cli.containers.data import BarRows, publish_rows
from admf_cli.errors import ConfigError
from admf_cli.features import FeatureSpec, ParameterError, compute
from admf_cli.market.bars import Bars, FloatArray
from admf_cli.tracefile.format import FEATURE_PLACE


class FeaturesContainer(Container):
    """Computes the features over warm-up and phase, and publishes a FEATURE for each bar, answering its BAR.

    Args:
        specs: name -> feature; the names are those under which traces show the values.
        history: warm-up bars and the phase.
        first: index in `history` of the phase's first bar.
        rows: the rows of the phase.
        data_id: the container whose BARs the features answer.
    """

    container_type = "features"

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        specs: Mapping[str, FeatureSpec],
        history: Bars,
        first: int,
        rows: BarRows,
        data_id: str,
    ) -> None:
        super().__init__(config)
        self.values: Mapping[str, FloatArray] = {}
        self._specs = specs
        self._history = history
        self._first = first
        self._rows = rows
        self._data_id = data_id
        self._done = 0

    def prepare(self) -> None:
        """Compute every column; `values` has the shape (n_history, n_symbols) each.

        Raises:
            ConfigError: one cannot be computed from these bars, such as a spread with a symbol that has none.
        """
        try:
            self.values = compute(self._specs, self._history)
        except ParameterError as error:
            raise ConfigError(f"features: {error}") from None

    def rows_to_keep(self) -> int:
        """Return how many FEATUREs there will be, if its trace keeps all of them."""
        is_kept = self._specs and self.keeps_all("FEATURE")
        return self._rows.before(self._rows.bars.n_bars) if is_kept else 0

    def catch_up(self, bar: int) -> None:
        """Publish the rows of all bars up to this one that have not been published yet."""
        start, stop = self._done, bar + 1
        if start >= stop or not self.values:
            return
        self._done = stop
        columns = {name: values[self._first :] for name, values in self.values.items()}
        publish_rows(
            self,
            self._rows,
            start,
            stop,
            columns,
            event_type="FEATURE",
            first_place=FEATURE_PLACE,
            cause_container=self._data_id,
        )
