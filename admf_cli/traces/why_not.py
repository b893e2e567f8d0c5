"""Why was nothing bought or sold at a time? What became of the signals, or what each rule lacked for one.

Refuses to put it into words.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from admf_cli.errors import ConfigError
from admf_cli.tracefile.format import BAR_SHIFT
from admf_cli.tracefile.metafile import Tally
from admf_cli.traces.archive import Archive
from admf_cli.traces.event import BOOKING_TYPES, TracedEvent
from admf_cli.traces.explain import effects_of, ends_of, features_at
from admf_cli.traces.judging import Judgement, RuleCase, judge
from admf_cli.traces.listening import listens_to
from admf_cli.traces.members import Gate, Members, members_of
from admf_cli.traces.moments import Span, parse_span, time_key
from admf_cli.traces.target import bars_within, choose_phases, open_archives
from admf_cli.traces.windows import window_of, windows_of

_MAX_CASES = 20
_LOOK_BACK_LINES = 20_000


class Outcome(Struct, frozen=True):
    """What one portfolio made of a signal.

    Attributes:
        verdict: "filled", "rejected", "cancelled", "expired", "partly filled", "working", "withdrawn" (the signal asked
            for an order's cancellation), "not kept" (what became of it was dropped), or "no answer".
        reason: the reason code of what ended it, None when it was filled.
        deciding: the event that decided.
        order: the order, if there was one.
    """

    portfolio: str
    verdict: str
    reason: str | None
    deciding: TracedEvent | None
    order: TracedEvent | None


class SignalCase(Struct, frozen=True):
    """A signal and what became of it in every portfolio that listens."""

    signal: TracedEvent
    outcomes: tuple[Outcome, ...]


class Standing(Struct, frozen=True):
    """A portfolio's position in the symbol when the bar closed; `since` is the event that made it."""

    portfolio: str
    quantity: float
    since: TracedEvent


class Case(Struct, frozen=True):
    """One strategy, one symbol, one bar.

    Attributes:
        verdict: "signal" (see `signals`), "not kept" (whether there was a signal was dropped or filtered out), or one
            of `Judgement`.
        features: their values at the bar, where no rule says which of them count.
        before, after: the strategy's nearest signals for the symbol on either side.
        gates, members: of a strategy made of strategies.
        notes: what is not on disk that the answer would need.
    """

    strategy: str
    symbol: str
    bar: TracedEvent
    verdict: str
    signals: tuple[SignalCase, ...]
    rules: tuple[RuleCase, ...]
    standing: tuple[Standing, ...]
    before: TracedEvent | None
    after: TracedEvent | None
    features: dict[str, float | None]
    gates: tuple[Gate, ...]
    members: Members | None
    notes: tuple[str, ...]


class WhyNot(Struct, frozen=True):
    """The answer for one phase.

    Attributes:
        bars: how many bars lie in the span asked about; `cases` may show fewer of them.
        previous_bar, next_bar: the nearest bars when there is none in the span.
        notes: what was dropped of that time, when no bar is on disk.
    """

    phase: str
    start: str
    stop: str
    bars: int
    cases: tuple[Case, ...]
    previous_bar: TracedEvent | None
    next_bar: TracedEvent | None
    notes: tuple[str, ...] = ()


def why_not(
    directory: Path, at: str, *, symbol: str | None = None, strategy: str | None = None, phase: str | None = None
) -> WhyNot:
    """Return what happened to signals at a time, or what each rule lacked.

    Args:
        at: a date (its whole day), a minute, or a moment, UTC.
        strategy: name or container id; None for all.

    Raises:
        StorageError: there is no trace to read.
        ConfigError: the time, the symbol, the strategy or the phase is not there.
    """
    span = parse_span(at)
    with ExitStack() as stack:
        archives = open_archives(stack, choose_phases(directory, phase))
        holding = [archive for archive in archives if next(bars_within(archive, None, span), None) is not None]
        if len(holding) > 1:
            names = ", ".join(archive.name for archive in holding[:10])
            raise ConfigError(f"several phases hold that time; choose one with --phase: {names}")
        if not holding and len(archives) > 1:
            raise ConfigError(f"no phase has a bar at {at}; name one with --phase to see the nearest bars")
        return _answer((holding or archives)[0], span, symbol, strategy)


def _answer(archive: Archive, span: Span, symbol: str | None, strategy: str | None) -> WhyNot:
    strategies = _strategies(archive, strategy)
    signals = {one: list(_signals(archive, one, symbol, span)) for one in strategies}
    spoken = {(signal.bar, signal.symbol) for found in signals.values() for signal in found}
    first: list[TracedEvent] = []
    marked: list[TracedEvent] = []
    count = 0
    for bar in bars_within(archive, symbol, span):
        count += 1
        if len(first) < _MAX_CASES:
            first.append(bar)
        if (bar.bar, bar.symbol) in spoken and len(marked) < _MAX_CASES:
            marked.append(bar)
    if not first:
        windows = windows_of(archive, archive.containers())
        gone = tuple(str(one) for one in windows if one.lacks_time(span.first))
        return WhyNot(archive.name, span.first, span.stop, 0, (), *_nearest(archive, symbol, span), gone)
    asked = itertools.product(marked or first, strategies)  # a day of minutes: those with a signal are meant
    cases = [
        _case(archive, one, bar, [signal for signal in signals[one] if _same(signal, bar)])
        for bar, one in itertools.islice(asked, _MAX_CASES)
    ]
    return WhyNot(archive.name, span.first, span.stop, count, tuple(cases), None, None)


def _same(signal: TracedEvent, bar: TracedEvent) -> bool:
    return signal.bar == bar.bar and signal.symbol == bar.symbol


def _strategies(archive: Archive, strategy: str | None) -> list[str]:
    known = archive.containers("strategy")
    if strategy is None:
        if not known:
            raise ConfigError(f"no strategy was traced in {archive.name}, so there is nothing to ask it")
        return known
    chosen = [one for one in known if strategy in (one, one.removeprefix("strategy_"), _own_name(archive, one))]
    if not chosen:
        raise ConfigError(f"no strategy {strategy!r} in {archive.name}; there are: {', '.join(known[:20]) or 'none'}")
    return chosen


def _own_name(archive: Archive, container_id: str) -> str | None:
    """Return a strategy's name, which two containers share that serve a portfolio each."""
    start = archive.start(container_id)
    name = start.mapping("settings").get("name") if start else None
    return name if isinstance(name, str) else None


def _signals(archive: Archive, strategy: str, symbol: str | None, span: Span) -> Iterator[TracedEvent]:
    for event in archive.from_key(strategy, lambda head: head.time, span.first):
        if time_key(event.timestamp) >= span.stop:
            return
        if event.event_type == "SIGNAL" and symbol in (None, event.symbol):
            yield event


def _nearest(archive: Archive, symbol: str | None, span: Span) -> tuple[TracedEvent | None, TracedEvent | None]:
    for container_id in archive.containers("data"):
        lookup = archive.lookup(container_id)
        after = next(
            (one for one in archive.from_key(container_id, lambda head: head.time, span.stop) if _bar(one, symbol)),
            None,
        )
        line = lookup.first_at(lambda head: head.time, span.first) if lookup else None
        before = archive.before(container_id, line.offset if line else None, _LOOK_BACK_LINES)
        return next((one for one in before if _bar(one, symbol)), None), after
    return None, None


def _bar(event: TracedEvent, symbol: str | None) -> bool:
    return event.event_type == "BAR" and symbol in (None, event.symbol)


def _case(archive: Archive, strategy: str, bar: TracedEvent, signals: list[TracedEvent]) -> Case:
    symbol = bar.symbol or ""
    portfolios = _listeners(archive, strategy)
    answered = tuple(SignalCase(signal, tuple(_outcomes(archive, signal, portfolios))) for signal in signals)
    unheard = None if answered else _unheard(archive, strategy, bar)
    if answered:
        judged = Judgement("signal")
    elif unheard is not None:
        judged = Judgement("not kept", notes=(unheard,))
    else:
        judged = judge(archive, strategy, bar)
    standing = [_standing(archive, portfolio, bar) for portfolio in portfolios]
    before, after = _neighbours(archive, strategy, bar)
    held = tuple(one for one in standing if one)
    features = features_at(archive, bar) if judged.verdict == "no rules" else {}
    start = None if answered else archive.start(strategy)
    return Case(
        strategy,
        symbol,
        bar,
        judged.verdict,
        answered,
        judged.rules,
        held,
        before,
        after,
        features,
        judged.gates,
        members_of(start.mapping("settings"), before, after) if start else None,
        judged.notes,
    )


def _unheard(archive: Archive, strategy: str, bar: TracedEvent) -> str | None:
    """Say why a signal at this bar would not be on disk; None if it would."""
    window = window_of(archive, strategy)
    if window is not None and window.lacks((bar.bar + 1) << BAR_SHIFT):
        return str(window)
    meta = archive.meta(strategy)
    if meta is not None and (filtered := meta.events.get("SIGNAL", Tally()).filtered):
        return f"{filtered:,} SIGNALs of {strategy} were not recorded (its settings filter them out)"
    return None


def _listeners(archive: Archive, strategy: str) -> list[str]:
    """Return the portfolios that a strategy's signals go to."""
    found = []
    for portfolio in archive.containers("portfolio"):
        start = archive.start(portfolio)
        if listens_to(portfolio, start.mapping("settings") if start else {}, strategy):
            found.append(portfolio)
    return found


def _outcomes(archive: Archive, signal: TracedEvent, portfolios: list[str]) -> Iterator[Outcome]:
    answers: dict[str, list[TracedEvent]] = {portfolio: [] for portfolio in portfolios}
    for effect in effects_of(archive, signal):
        withdrew = effect.event_type == "CANCEL" and signal.text("action") == "cancel"
        if effect.event_type in ("ORDER", "REJECT") or withdrew:
            answers.setdefault(effect.container_id, []).append(effect)
    for portfolio, events in answers.items():
        yield from (_outcome(archive, event) for event in events)
        if not events:
            window = window_of(archive, portfolio)
            verdict = "not kept" if window is not None and window.lacks(signal.sequence) else "no answer"
            yield Outcome(portfolio, verdict, None, None, None)


def _outcome(archive: Archive, answer: TracedEvent) -> Outcome:
    if answer.event_type == "REJECT":
        return Outcome(answer.container_id, "rejected", answer.text("reason"), answer, None)
    if answer.event_type == "CANCEL":
        return Outcome(answer.container_id, "withdrawn", None, answer, None)
    ends = ends_of(archive, answer)
    last = ends[-1] if ends else None
    fills = [one for one in ends if one.event_type == "FILL"]
    if last is None or (last.event_type == "FILL" and last.amount("remaining") != 0.0):
        windows = windows_of(archive, [*archive.containers("execution"), answer.container_id])
        if any(window.lacks(answer.sequence) for window in windows):
            return Outcome(answer.container_id, "not kept", None, last, answer)
    if last is None:
        return Outcome(answer.container_id, "working", None, None, answer)
    if last.event_type == "FILL":
        verdict = "filled" if last.amount("remaining") == 0.0 else "partly filled"
        return Outcome(answer.container_id, verdict, None, last, answer)
    word = {"REJECT": "rejected", "CANCEL": "cancelled", "EXPIRE": "expired"}[last.event_type]
    return Outcome(answer.container_id, "partly filled" if fills else word, last.text("reason"), last, answer)


def _standing(archive: Archive, portfolio: str, bar: TracedEvent) -> Standing | None:
    lookup = archive.lookup(portfolio)
    line = lookup.first_at(lambda head: head.sequence, (bar.bar + 1) << BAR_SHIFT) if lookup else None
    for event in archive.before(portfolio, line.offset if line else None, _LOOK_BACK_LINES):
        if event.event_type in BOOKING_TYPES and event.symbol == bar.symbol:
            return Standing(portfolio, event.amount("quantity") or 0.0, event)
    return None


def _neighbours(archive: Archive, strategy: str, bar: TracedEvent) -> tuple[TracedEvent | None, TracedEvent | None]:
    lookup = archive.lookup(strategy)
    here = lookup.first_at(lambda head: head.sequence, bar.bar << BAR_SHIFT) if lookup else None
    earlier = archive.before(strategy, here.offset if here else None, _LOOK_BACK_LINES)
    later = archive.from_key(strategy, lambda head: head.sequence, (bar.bar + 1) << BAR_SHIFT)

    def fits(event: TracedEvent) -> bool:
        return event.event_type == "SIGNAL" and event.symbol == bar.symbol

    return next(filter(fits, earlier), None), next(filter(fits, later), None)
