"""Check what must be true of a trace directory, from its files alone: `python tests/faults/invariants.py DIR`.

Written from docs/trace-format.md with the standard library only; it shares no code with the package that it checks.
"""

from __future__ import annotations

import collections
import hashlib
import itertools
import json
import math
import sys
from pathlib import Path
from typing import Any

KEYS = ["event_id", "sequence", "event_type", "timestamp", "container_id"]
KEYS += ["correlation_id", "causation_id", "symbol", "payload"]
ENDS = ("CANCEL", "EXPIRE", "REJECT")


def violations(phase: Path) -> list[str]:
    """Return what is wrong with one phase's directory; a torn last line is allowed where there is no meta file."""
    found: list[str] = []
    events: dict[str, dict[str, Any]] = {}
    whole = True  # every event of every container is there
    for path in sorted(phase.glob("*.jsonl")):
        meta_path = path.with_name(path.name[:-6] + ".meta.json")
        meta = json.loads(meta_path.read_text()) if meta_path.exists() else None
        data = path.read_bytes()
        lines = data.split(b"\n")
        if lines.pop() and meta is not None:
            found.append(f"{path.name}: sealed with a torn line")
        rows = [json.loads(line) for line in lines]
        found += [
            f"{path.name}: {text}" for text in [*file_faults(rows, path.name[:-6]), *meta_faults(meta, rows, data)]
        ]
        whole &= (
            meta is not None and meta["status"] == "complete" and meta["total"]["written"] == meta["total"]["published"]
        )
        if any(list(row) != KEYS for row in rows):
            return found
        events.update((row["event_id"], row) for row in rows)
    order = sorted(events.values(), key=lambda row: row["sequence"])
    if len({row["sequence"] for row in order}) != len(order):
        found.append("one sequence number stands for two events")
    times: dict[int, str] = {}
    for row in order:
        if times.setdefault(row["sequence"] >> 20, row["timestamp"]) != row["timestamp"]:
            found.append(f"{row['event_id']}: another time than its bar's")
    if list(times.values()) != sorted(times.values()):
        found.append("time does not rise with the sequence")
    for row in order:
        for key in ("causation_id", "correlation_id"):
            cause = events.get(row[key] or "")
            if row[key] and cause is None and whole and (phase / f"{row[key].rpartition('#')[0]}.jsonl").exists():
                found.append(f"{row['event_id']}: {key} names no event")
            if cause is not None and cause["sequence"] > row["sequence"]:
                found.append(f"{row['event_id']}: {key} names a later event")
    return found + (flow_faults(order, events) + money_faults(order) if whole else [])


def file_faults(rows: list[dict[str, Any]], name: str) -> list[str]:
    found = [f"line {number}: not the nine keys in order" for number, row in enumerate(rows, 1) if list(row) != KEYS]
    if found:
        return found
    numbers = [int(row["event_id"].rpartition("#")[2]) for row in rows]
    if any(row["container_id"] != name or row["event_id"].rpartition("#")[0] != name for row in rows):
        found.append("an event of another container")
    for label, values in (("event number", numbers), ("sequence", [row["sequence"] for row in rows])):
        if any(later <= earlier for earlier, later in itertools.pairwise(values)):
            found.append(f"{label} does not rise")
    return found


def meta_faults(meta: dict[str, Any] | None, rows: list[dict[str, Any]], data: bytes) -> list[str]:
    if meta is None:
        return []
    found = []
    total = meta["total"]
    for name, tally in [*meta["events"].items(), ("total", total)]:
        if tally["published"] != tally["written"] + tally["filtered"] + tally["dropped"]:
            found.append(f"{name}: published is not written + filtered + dropped")
    counts = collections.Counter(row["event_type"] for row in rows)
    if counts != {name: tally["written"] for name, tally in meta["events"].items() if tally["written"]}:
        found.append("the counts by type are not those of the lines")
    if total != {key: sum(tally[key] for tally in meta["events"].values()) for key in total}:
        found.append("the totals are not the sums")
    if (meta["file"]["bytes"], meta["file"]["sha256"]) != (len(data), hashlib.sha256(data).hexdigest()):
        found.append("size or digest is another")
    if rows and meta["last_event"] != rows[-1]["event_id"]:
        found.append("the last event is not the last line")
    if meta["status"] == "complete" and not (total["filtered"] or rows[-1]["event_type"] == "PHASE_END"):
        found.append("complete, but without its end")
    limit = meta["settings"].get("max_events")  # repair knows no settings where there was no seal
    if (
        limit is not None
        and meta["status"] != "recovered"
        and len(rows) != min(limit, total["published"] - total["filtered"])
    ):
        found.append("not the newest max_events")
    return found


def flow_faults(order: list[dict[str, Any]], events: dict[str, dict[str, Any]]) -> list[str]:
    """Every order ends once, every signal has an outcome, every fill is within its bar."""
    found = []
    ended: collections.Counter[str] = collections.Counter()
    filled: collections.defaultdict[str, float] = collections.defaultdict(float)
    answered = {row["causation_id"] for row in order if row["event_type"] in ("ORDER", "REJECT", "CANCEL")}
    for row in order:
        payload, kind = row["payload"], row["event_type"]
        if (kind in ENDS and payload.get("order_id")) or (kind == "FILL" and payload["remaining"] == 0):
            ended[payload["order_id"]] += 1
        if kind == "FILL":
            filled[payload["order_id"]] += payload["quantity"]
            bar = events.get(payload["bar"]) or untraced(row)
            inside = bar["payload"]["low"] <= payload["reference_price"] <= bar["payload"]["high"]
            if not inside or bar["timestamp"] != row["timestamp"] or bar["symbol"] != row["symbol"]:
                found.append(f"{row['event_id']}: not at a price of its bar")
            if not close(payload["price"] - payload["reference_price"], payload["slippage"] * side(payload)):
                found.append(f"{row['event_id']}: slippage is not price - reference")
        if kind == "SIGNAL" and row["event_id"] not in answered:
            found.append(f"{row['event_id']}: a signal without an outcome")
    for row in order:
        if row["event_type"] == "ORDER":
            if ended[row["event_id"]] != 1:
                found.append(f"{row['event_id']}: an order with {ended[row['event_id']]} ends")
            if filled[row["event_id"]] > row["payload"]["quantity"] * (1 + 1e-9):
                found.append(f"{row['event_id']}: filled more than ordered")
    return found


def money_faults(order: list[dict[str, Any]]) -> list[str]:
    """Cash changes by fills and financing only, positions by fills only; both as the portfolios say."""
    found = []
    cash = {row["container_id"]: row["payload"]["settings"]["initial_capital"] for row in order if is_start(row)}
    held: collections.defaultdict[tuple[str, str], float] = collections.defaultdict(float)
    for row in order:
        payload, kind, owner = row["payload"], row["event_type"], row["container_id"]
        if kind == "FILL":
            cash[payload["portfolio"]] -= side(payload) * payload["value"] + payload["commission"]
            held[payload["portfolio"], row["symbol"]] += side(payload) * payload["quantity"]
        elif kind == "FINANCING":
            cash[owner] = payload["cash"]
        elif owner in cash and "cash" in payload and not close(payload["cash"], cash[owner], 1e-6):
            found.append(f"{row['event_id']}: cash is {payload['cash']}, by its fills {cash[owner]}")
        if kind.startswith("POSITION_") and not close(payload["quantity"], held[owner, row["symbol"]]):
            found.append(f"{row['event_id']}: the position is not the sum of its fills")
    return found


def untraced(fill: dict[str, Any]) -> dict[str, Any]:
    """Return a bar that a fill cannot miss, for runs whose bars were not traced."""
    return {**fill, "payload": {"low": -math.inf, "high": math.inf}}


def is_start(row: dict[str, Any]) -> bool:
    return row["event_type"] == "PHASE_START" and row["payload"]["container_type"] == "portfolio"


def side(fill: dict[str, Any]) -> int:
    return 1 if fill["side"] == "buy" else -1


def close(one: float, other: float, relative: float = 1e-9) -> bool:
    return math.isclose(one, other, rel_tol=relative, abs_tol=1e-6)


def phases(root: Path) -> list[Path]:
    return sorted({path.parent for path in root.rglob("*.jsonl")})


if __name__ == "__main__":
    faults = [f"{phase}: {text}" for phase in phases(Path(sys.argv[1])) for text in violations(phase)]
    print("\n".join(faults) or "sound")
    sys.exit(1 if faults else 0)
