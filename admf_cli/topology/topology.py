"""The containers of one phase, from open to sealed. Refuses to know what any of them does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from admf_cli.clock import Clock
from admf_cli.containers.base import Container
from admf_cli.errors import AdmfError, InterruptedRunError, StorageError
from admf_cli.results import PhaseResult
from admf_cli.topology.together import together

if TYPE_CHECKING:
    from admf_cli.tracefile.scribe import Scribe

ROWS_FOR_A_PROCESS = 1_000_000
"""Rows of a phase that are worth a process that writes them."""


class Topology:
    """Opens all containers, lets the clock run, gathers the result, and seals every trace whatever happens.

    Args:
        containers: in the order in which they live through a moment.
        provenance: returns what meta files say of configuration and data.
        gather: called once everything has finished; returns the phase's result.
    """

    def __init__(
        self,
        containers: Sequence[Container],
        clock: Clock,
        provenance: Callable[[], Mapping[str, Any]],
        gather: Callable[[], PhaseResult],
    ) -> None:
        self._containers = containers
        self._clock = clock
        self._provenance = provenance
        self._gather = gather
        self._opened: list[Container] = []
        self._scribe: Scribe | None = None

    def listen(self, handler: Callable[[Any], None], batch_handler: Callable[[Any], None]) -> None:
        """Hear everything that the containers will publish, as their tracers do; to be called before `run`."""
        for container in self._containers:
            container.bus.subscribe_to_all(handler, batch_handler)

    def run(self) -> PhaseResult:
        """Run the phase.

        Raises:
            AdmfError: it broke off; the traces are sealed as failed or interrupted, complete up to there.
        """
        try:
            for container in self._containers:
                self._opened.append(container)
                container.open(self._provenance)
            self._scribe = self._start_scribe()
            for container in self._containers:
                container.prepare()
            self._clock.run()
            for container in self._containers:
                container.finish()
            for container in self._containers:
                container.end()
            # Sealing comes last: a trace must not call itself complete when another could not be written.
            written = [container for container in self._containers if container.trace_file is not None]
            together([container.sync for container in written])
            together([container.write_meta for container in written])
            for container in self._containers:
                container.complete()
            return self._gather()
        except InterruptedRunError as error:
            self._break_off("interrupted", str(error))
            raise
        except BaseException as error:
            self._break_off("failed", str(error) if isinstance(error, AdmfError) else repr(error))
            raise

    def abort(self, reason: str) -> None:
        """Seal every trace as failed, where `run` is not to come back."""
        self._break_off("failed", reason)

    def close(self) -> None:
        """Let go of files that are still open; those were never sealed."""
        for container in self._opened:
            container.abandon()
        self._opened.clear()
        if self._scribe is not None:
            self._scribe.close()

    def _start_scribe(self) -> Scribe | None:
        """Have the traces of very many rows written by a process beside this one, where that is worth its start."""
        rows = {container: container.rows_to_keep() for container in self._containers}
        if sum(rows.values()) < ROWS_FOR_A_PROCESS:
            return None
        from admf_cli.tracefile.scribe import start_beside

        dense = [container.trace_file for container, count in rows.items() if count]
        return start_beside([file for file in dense if file is not None])

    def _break_off(self, status: str, reason: str) -> None:
        for container in self._opened:
            # One file that cannot be written must not keep the others from being sealed.
            with contextlib.suppress(StorageError):
                container.break_off(status, reason)
