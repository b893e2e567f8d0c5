"""What the checks found, as lines for people and as JSON documents. Finds nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from msgspec.structs import asdict

from admf_cli.checks.determinism import Comparison
from admf_cli.checks.lookahead import Leak, Verdict
from admf_cli.checks.rerun import Phase
from admf_cli.checks.warmup import Warmup

SCHEMA_VERSION = 1
_LONGEST_LINE = 400


def lookahead_lines(verdicts: Sequence[Verdict]) -> str:
    """Return the look-ahead check in words."""
    lines: list[str] = []
    for verdict in verdicts:
        scope = f"{verdict.reruns} reruns cut at {len(verdict.cuts)} of {verdict.bars:,} bars"
        if verdict.leak is None:
            answer = "no look-ahead" if verdict.is_sound else "LOOK-AHEAD cannot be ruled out"
            lines.append(
                f"{verdict.phase}: {answer}: {scope}, {verdict.compared:,} events compared, byte for byte the same"
            )
            if not verdict.cuts:
                lines.append("  the phase is too short to cut")
        else:
            lines.append(f"{verdict.phase}: LOOK-AHEAD ({scope})")
            lines += _leak_lines(verdict.leak)
        if verdict.data_opened:
            files = ", ".join(map(_plain, verdict.data_opened))
            lines.append(f"  a strategy opens the bars themselves: {files}; what it reads there is never cut: take")
            lines.append("  them from targets(bars, features), or from ctx")
        if verdict.files_opened:
            files = ", ".join(map(_plain, verdict.files_opened))
            lines.append(f"  not covered: files that a strategy opens by itself, which are not cut: {files}")
        if verdict.failed:
            bar, message = verdict.failed[0]
            lines.append(f"  {len(verdict.failed)} reruns broke off, the first cut at bar {bar}: {_plain(message)}")
    return "\n".join(lines) + "\n"


def _leak_lines(leak: Leak) -> list[str]:
    at = f"{leak.time} (bar {leak.bar:,})" + (f", {leak.symbol}" if leak.symbol else "")
    changed = f"turned to noise after {leak.data_end}" if leak.by_noise else f"cut after {leak.data_end}"
    lines = [f"  first event that knew the future: {leak.event_type} {leak.event_id} at {at}"]
    if leak.features:
        lines.append(f"  what leaked: feature {', '.join(map(_plain, leak.features))}")
    elif leak.event_type == "SIGNAL":
        lines.append(f"  what leaked: {leak.container}'s own computation; no feature of the configuration changed")
    lines.append(f"  with all the data:  {_shown(leak.whole)}")
    lines.append(f"  data {changed}:  {_shown(leak.cut)}")
    if leak.sees_bars is not None:
        lines.append(f"  it saw {leak.sees_bars:,} bar{'s' * (leak.sees_bars != 1)} ahead: to {leak.sees_until}")
    return lines


def lookahead_document(verdicts: Sequence[Verdict]) -> str:
    """Return the look-ahead check as JSON."""
    phases = [
        {
            "phase": verdict.phase,
            "ok": verdict.is_sound,
            "bars": verdict.bars,
            "cuts": list(verdict.cuts),
            "reruns": verdict.reruns,
            "events_compared": verdict.compared,
            "leak": None if verdict.leak is None else asdict(verdict.leak),
            "failed": [{"cut": bar, "message": message} for bar, message in verdict.failed],
            "data_opened": list(verdict.data_opened),
            "files_opened": list(verdict.files_opened),
        }
        for verdict in verdicts
    ]
    return _document("lookahead", all(verdict.is_sound for verdict in verdicts), phases=phases)


def warmup_lines(found: Sequence[tuple[Phase, Sequence[Warmup]]]) -> str:
    """Return the warm-up check in words."""
    lines: list[str] = []
    for phase, rows in found:
        lines.append(f"{phase.name}: {phase.warmup_bars:,} bars before its first, {phase.n_bars:,} in it")
        if not rows:
            lines.append("  no features")
            continue
        widest = max(len("feature"), *(len(_plain(row.feature)) for row in rows))
        lines.append(f"  {'feature':<{widest}}  {'first value after':>17}  {'settled after':>13}")
        for row in rows:
            needed = "never" if row.needed is None else f"{row.needed:,}"
            note = f"  {row.unsettled:,} bars of the phase are read before" if row.unsettled else ""
            lines.append(f"  {_plain(row.feature):<{widest}}  {row.lookback + 1:>17,}  {needed:>13}{note}")
        most = max((row.needed for row in rows if row.needed is not None and row.unsettled), default=None)
        if most is not None:
            lines.append(
                f"  begin the phase {most:,} bars after the data, with warmup: auto, and all of these are settled"
            )
    return "\n".join(lines) + "\n"


def warmup_document(found: Sequence[tuple[Phase, Sequence[Warmup]]], tolerance: float) -> str:
    """Return the warm-up check as JSON."""
    phases = [
        {
            "phase": phase.name,
            "ok": not any(row.unsettled for row in rows),
            "warmup_bars": phase.warmup_bars,
            "bars": phase.n_bars,
            "features": [asdict(row) for row in rows],
        }
        for phase, rows in found
    ]
    return _document("warmup", all(phase["ok"] for phase in phases), tolerance=tolerance, phases=phases)


def determinism_lines(comparison: Comparison) -> str:
    """Return the determinism check in words."""
    difference = comparison.difference
    if difference is None:
        return f"deterministic: {comparison.files} traces, {comparison.events:,} events, byte for byte the same\n"
    first, second = ("nothing more" if line is None else _cut(_plain(line)) for line in difference.lines)
    place = f"{_plain(difference.phase)}/{_plain(difference.container)}, line {difference.number:,}"
    return (
        f"NOT DETERMINISTIC: two runs of the same configuration part at {place}\n"
        f"  one:    {first}\n  other:  {second}\n"
        "  usual causes: a random number without a seed, the order of a set, the clock, a file that changes\n"
    )


def determinism_document(comparison: Comparison) -> str:
    """Return the determinism check as JSON."""
    difference = None if comparison.difference is None else asdict(comparison.difference)
    return _document(
        "determinism",
        difference is None,
        files=comparison.files,
        events=comparison.events,
        difference=difference,
    )


def _document(check: str, ok: bool, **rest: Any) -> str:
    document = {"schema_version": SCHEMA_VERSION, "check": check, "ok": ok, **rest}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _shown(value: Mapping[str, Any] | None) -> str:
    return "no such event" if value is None else _cut(_plain(orjson.dumps(value).decode()))


def _plain(text: str) -> str:
    """Return text in which nothing can steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_LINE else text[:_LONGEST_LINE] + " …"
