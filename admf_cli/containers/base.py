"""What every container is: an isolated bus, its own tracer if its configuration says so, a life from open to sealed.

Refuses to know what any kind of container does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from admf_cli import __version__
from admf_cli.clock import Clock
from admf_cli.errors import ConfigError
from admf_cli.events.bus import EventBus
from admf_cli.events.event import Content, Event, EventBatch
from admf_cli.events.settings import resolve_settings
from admf_cli.events.tracer import Tracer
from admf_cli.results import TraceSummary
from admf_cli.tracefile.format import BAR_SHIFT, END_PLACE, START_PLACE

if TYPE_CHECKING:
    from admf_cli.tracefile.writer import TraceFile


class Container:
    """Base of the five kinds.

    Args:
        config: its own configuration: `container_id`, `mode`, `metadata` {workflow_id, phase_name}, `enable_tracing`,
            `trace_settings`, and `settings`, the part of the YAML that is this container's business.

    Raises:
        ConfigError: a tracer was passed in, or a setting is wrong. A container makes its own tracer.
    """

    container_type: ClassVar[str]
    clock: Clock  # the run's; there from `attach` on

    def __init__(self, config: Mapping[str, Any]) -> None:
        misplaced = [key for key in config if "tracer" in key]
        if misplaced:
            raise ConfigError(
                f"{misplaced[0]}: a container takes no tracer; it makes its own from `enable_tracing` and "
                "`trace_settings` (in YAML: execution.enable_event_tracing and execution.trace_settings)"
            )
        self.container_id: str = config["container_id"]
        self.settings: Mapping[str, Any] = config.get("settings") or {}
        self.bus = EventBus()
        self.tracer: Tracer | None = None
        self.started = False
        self._config = config
        self._id_start = f"{self.container_id}#"
        self._published = 0
        self._rank = 0

    def attach(self, clock: Clock) -> None:
        """Join the run."""
        self.clock = clock
        self._rank = clock.join(self)
        clock.on_pulse(self._pulse)

    def open(self, provenance: Callable[[], Mapping[str, Any]]) -> None:
        """Start tracing, if this container's configuration says so, and announce the phase.

        Args:
            provenance: returns what the meta file is to say of the configuration and the data.
        """
        self.tracer = self._make_tracer(provenance)
        if self.tracer is not None:
            self.bus.subscribe_to_all(self.tracer.record, self.tracer.record_batch)
        payload = {
            "mode": self._config["mode"],
            "phase_name": self._config["metadata"]["phase_name"],
            "container_type": self.container_type,
            "settings": self.describe(),
        }
        self._announce("PHASE_START", START_PLACE + self._rank, payload)
        self.started = True

    def prepare(self) -> None:
        """Compute what can be known before the first bar is traded."""

    def wake(self, bar: int, stage: int) -> None:
        """Do what is due at this stage of this bar."""

    def finish(self) -> None:
        """Do what is due once the last bar has closed."""

    def describe(self) -> Mapping[str, Any]:
        """Return its settings as the trace shows them: nothing of the future, no path, no wall clock."""
        return self.settings

    def summary(self) -> Mapping[str, Any]:
        """Return what its PHASE_END says."""
        return {}

    @property
    def trace_file(self) -> TraceFile | None:
        """Where its trace is written, if it is."""
        if self.tracer is None:
            return None
        return self.tracer.file

    def rows_to_keep(self) -> int:
        """Return how many events it is going to publish as columns of which its trace keeps every one, on the disk."""
        return 0

    def keeps_all(self, event_type: str) -> bool:
        """Return whether every event of a type will be in its trace, on the disk."""
        if self.tracer is None:
            return False
        return self.tracer.keeps_all(event_type)

    def end(self) -> None:
        """Announce the phase's end; what is left is to bring the trace to the disk and to seal it, in three steps."""
        self._announce("PHASE_END", END_PLACE + self._rank, {"status": "complete", **self.summary()})
        if self.tracer is not None:
            self.tracer.flush()

    def sync(self) -> None:
        """Bring the whole trace to the disk."""
        if self.tracer is not None:
            self.tracer.sync()

    def write_meta(self) -> None:
        """Bring its seal to the disk, too, which does not hold yet."""
        if self.tracer is not None:
            self.tracer.write_meta()

    def complete(self) -> None:
        """Let the seal hold, and close the trace."""
        if self.tracer is not None:
            self.tracer.complete()

    def break_off(self, status: str, reason: str) -> None:
        """Seal the trace of a run that ends early, complete up to the current bar."""
        if self.tracer is None or self.tracer.status != "open":
            return
        if self.started:
            self.catch_up(self.clock.bar)
        self.tracer.seal(status, reason)

    def abandon(self) -> None:
        """Let go of the trace's file if it was never sealed."""
        if self.tracer is not None and self.tracer.status == "open":
            self.tracer.abandon()

    def catch_up(self, bar: int) -> None:
        """Publish what is due up to and including this bar and was held back to be published in one go."""

    def publish(
        self,
        event_type: str,
        content: Mapping[str, Any] | Content,
        *,
        symbol: str | None = None,
        cause: str | None = None,
        flow: str | None = None,
        topic: str | None = None,
        event_id: str | None = None,
    ) -> Event:
        """Publish one event now, and return it.

        Args:
            event_id: its id, if that was asked for already, of `next_id`.
            cause: id of the event it answers.
            flow: id of the event that began the flow; a SIGNAL begins its own.
            topic: whom alone it is addressed to, besides those who listen to everything.
        """
        clock = self.clock
        if event_id is None:
            event_id = self.next_id()
        self._published += 1
        clock.sequence = sequence = clock.sequence + 1
        if event_type == "SIGNAL":
            flow = event_id
        event = Event(event_id, sequence, event_type, clock.time, self.container_id, flow, cause, symbol, content)
        for handler in self.bus.listeners(event_type, topic):
            handler(event)
        return event

    def next_id(self) -> str:
        """Return the id of the event that is published next."""
        return self._id_start + str(self._published + 1)

    def pass_over(self) -> None:
        """Leave out one event that nobody listens to: it keeps its number, as no number depends on who listens."""
        self._published += 1
        self.clock.sequence += 1

    def pass_over_rows(self, count: int) -> None:
        """Leave out a batch of so many events that nobody listens to: they keep their numbers."""
        self._published += count

    def publish_batch(self, batch: EventBatch) -> None:
        """Publish consecutive events of one kind; their numbers follow on from the last."""
        assert batch.first_number == self._published + 1
        self._published += len(batch)
        self.bus.publish_batch(batch)

    def fail(self, message: str, details: Mapping[str, Any]) -> None:
        """Record that this container broke the run off."""
        self.publish("ERROR", {"message": message, **details})

    def trace_summary(self) -> TraceSummary | None:
        """Return what its tracer kept and dropped, or None if nothing was traced."""
        if self.tracer is None:
            return None
        file = self.tracer.file
        return TraceSummary(
            container_id=self.container_id,
            container_type=self.container_type,
            path=None if file is None else str(file.path),
            status=self.tracer.status,
            bytes=0 if file is None else file.bytes,
            events=() if file is not None else self.tracer.events(),
            **self.tracer.totals(),
        )

    def _pulse(self, bar: int, on_time: bool) -> None:
        self.catch_up(bar)
        if on_time and self.tracer is not None:
            self.tracer.checkpoint()

    def _announce(self, event_type: str, place: int, payload: Mapping[str, Any]) -> None:
        clock = self.clock
        event_id = self.next_id()
        self._published += 1
        event = Event(
            event_id,
            (clock.bar << BAR_SHIFT) + place,
            event_type,
            clock.time,
            self.container_id,
            None,
            None,
            None,
            payload,
        )
        self.bus.publish(event)

    def _make_tracer(self, provenance: Callable[[], Mapping[str, Any]]) -> Tracer | None:
        config = self._config
        if not config.get("enable_tracing"):
            return None
        settings = resolve_settings(
            config.get("trace_settings") or {}, container_id=self.container_id, container_type=self.container_type
        )
        if settings is None:
            return None
        metadata = config["metadata"]
        identity = {
            "workflow_id": metadata["workflow_id"],
            "phase_name": metadata["phase_name"],
            "container_id": self.container_id,
            "container_type": self.container_type,
            "mode": config["mode"],
            "admf_version": __version__,
        }
        return Tracer(settings, identity, provenance=provenance)
