"""A small run written out in plain Python, so that tests of the readers depend on no writer of the package."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

BAR = 1 << 20
MARKET = 1 << 16
FEATURE = 1 << 18
DECISION = FEATURE + (1 << 16)
END = BAR - 1024
START_DAY = datetime(2008, 1, 1)

DATA = "data"
FEATURES = "features"
STRATEGY = "strategy_trend"
PORTFOLIO = "portfolio_trend_base"
EXECUTION = "execution"
RANK = {DATA: 0, FEATURES: 1, STRATEGY: 2, PORTFOLIO: 3, EXECUTION: 4}
TYPES = {DATA: "data", FEATURES: "features", STRATEGY: "strategy", PORTFOLIO: "portfolio", EXECUTION: "execution"}


def time_of(bar: int) -> str:
    """Daily bars from 2008-01-01 on."""
    return (START_DAY + timedelta(days=bar)).isoformat() + "Z"


@dataclass
class Run:
    """Events by container, in the order in which they are published."""

    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)

    def add(
        self,
        container: str,
        event_type: str,
        bar: int,
        place: int,
        payload: Mapping[str, Any],
        *,
        cause: str | None = None,
        flow: str | None = None,
        symbol: str | None = None,
    ) -> str:
        """Publish an event; return its id."""
        events = self.events.setdefault(container, [])
        event_id = f"{container}#{len(events) + 1}"
        events.append(
            {
                "event_id": event_id,
                "sequence": bar * BAR + place,
                "event_type": event_type,
                "timestamp": time_of(bar),
                "container_id": container,
                "correlation_id": event_id if event_type == "SIGNAL" else flow,
                "causation_id": cause,
                "symbol": symbol,
                "payload": dict(payload),
            }
        )
        return event_id

    def next_place(self, bar: int, base: int) -> int:
        """A fresh place within a bar, from `base` up."""
        key = bar * BAR + base
        self.places[key] = self.places.get(key, base - 1) + 1
        return self.places[key]

    def write(
        self,
        phase_dir: Path,
        *,
        max_events: Mapping[str, int] | None = None,
        only: Mapping[str, Iterable[str]] | None = None,
        untraced: Iterable[str] = (),
        unsealed: Iterable[str] = (),
        status: str = "complete",
        meta_changes: Mapping[str, Any] | None = None,
    ) -> Path:
        """Write the phase as a version 1 writer would.

        Args:
            max_events: container -> how many of the newest stay.
            only: container -> event types recorded.
            untraced: containers without any file.
            unsealed: containers without a meta file.
        """
        phase_dir.mkdir(parents=True)
        for container, events in self.events.items():
            if container in untraced:
                continue
            allowed = set((only or {}).get(container, ())) or None
            recorded = [one for one in events if allowed is None or one["event_type"] in allowed]
            limit = (max_events or {}).get(container)
            kept = recorded if limit is None else recorded[max(0, len(recorded) - limit) :]
            lines = b"".join(line_of(event) for event in kept)
            (phase_dir / f"{container}.jsonl").write_bytes(lines)
            if container not in unsealed:
                meta = _meta(phase_dir, container, events, recorded, kept, lines, limit, allowed, status)
                meta.update(meta_changes or {})
                (phase_dir / f"{container}.meta.json").write_bytes(sealed(meta))
        return phase_dir


def line_of(event: Mapping[str, Any]) -> bytes:
    """One event as its line."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def sealed(meta: Mapping[str, Any]) -> bytes:
    """A meta document with its own seal, the digest of every byte before the seal's line."""
    body = json.dumps(meta, indent=2).removesuffix("\n}").encode() + b",\n"
    return body + b'  "seal": "' + hashlib.sha256(body).hexdigest().encode() + b'"\n}\n'


def _meta(
    phase_dir: Path,
    container: str,
    events: Sequence[dict[str, Any]],
    recorded: Sequence[dict[str, Any]],
    kept: Sequence[dict[str, Any]],
    lines: bytes,
    limit: int | None,
    allowed: set[str] | None,
    status: str,
) -> dict[str, Any]:
    by_type: dict[str, dict[str, Any]] = {}
    dropped = recorded[: len(recorded) - len(kept)]
    for event_type in sorted({event["event_type"] for event in events}):
        gone = [event["event_id"] for event in dropped if event["event_type"] == event_type]
        published = sum(event["event_type"] == event_type for event in events)
        written = sum(event["event_type"] == event_type for event in kept)
        by_type[event_type] = {
            "published": published,
            "written": written,
            "filtered": published - written - len(gone),
            "dropped": len(gone),
            "first_dropped": gone[0] if gone else None,
            "last_dropped": gone[-1] if gone else None,
        }
    names = ("published", "written", "filtered", "dropped")
    return {
        "schema_version": 1,
        "trace_id": f"{phase_dir.parent.name}_{container}",
        "workflow_id": phase_dir.parent.name,
        "phase_name": phase_dir.name,
        "container_id": container,
        "container_type": TYPES.get(container, "strategy"),
        "mode": "backtest",
        "status": status,
        "reason": None,
        "admf_version": "0.1.0",
        "config_name": "trend_demo",
        "config_sha256": "c" * 64,
        "data_sha256": "d" * 64,
        "settings": {
            "max_events": limit,
            "event_types": sorted(allowed) if allowed else None,
            "trace_level": "normal",
        },
        "events": by_type,
        "total": {name: sum(tally[name] for tally in by_type.values()) for name in names},
        "first_event": kept[0]["event_id"] if kept else None,
        "last_event": kept[-1]["event_id"] if kept else None,
        "first_timestamp": kept[0]["timestamp"] if kept else None,
        "last_timestamp": kept[-1]["timestamp"] if kept else None,
        "file": {
            "name": f"{container}.jsonl",
            "bytes": len(lines),
            "sha256": hashlib.sha256(lines).hexdigest(),
        },
    }


def crossover_run(
    closes: Sequence[float], targets: Mapping[int, int], *, capital: float = 10_000.0, quantity: float = 10.0
) -> Run:
    """A whole run of one symbol: long_flat or reversing targets at chosen bars, market orders at the next open.

    Every open equals the close before it; commission 0.1 %, no slippage, a fixed quantity; an order that cash cannot
    pay is rejected. Features are the close (`fast`) and the mean of the last two closes (`slow`).
    """
    run, symbol = Run(), "SPX"
    rules = {"enter_long": "crosses_above(fast, slow)", "exit": "crosses_below(fast, slow)"}
    settings: dict[str, dict[str, Any]] = {
        DATA: {"symbols": [symbol]},
        FEATURES: {},
        STRATEGY: {"strategy": "trend", "type": "sma_crossover", "rules": rules},
        PORTFOLIO: {"initial_capital": capital},
        EXECUTION: {"commission": {"type": "percent", "rate": 0.001}},
    }
    for container, rank in RANK.items():
        payload = {
            "mode": "backtest",
            "phase_name": "backtest",
            "container_type": TYPES[container],
            "settings": settings[container],
        }
        run.add(container, "PHASE_START", 0, rank, payload)
    book = _Book(run, symbol, capital)
    for bar, close in enumerate(closes):
        opening = closes[bar - 1] if bar else close
        values = {
            "open": opening,
            "high": max(opening, close),
            "low": min(opening, close),
            "close": close,
            "volume": 1000.0,
        }
        bar_id = run.add(DATA, "BAR", bar, 1024, values, symbol=symbol)
        book.meet(bar, bar_id, opening, close)
        slow = (opening + close) / 2 if bar else None
        run.add(FEATURES, "FEATURE", bar, FEATURE, {"fast": close, "slow": slow}, cause=bar_id, symbol=symbol)
        if bar in targets:
            book.decide(bar, bar_id, close, slow, targets[bar], quantity)
    book.end(len(closes) - 1, closes[-1])
    return run


class _Book:
    def __init__(self, run: Run, symbol: str, capital: float) -> None:
        self.run, self.symbol = run, symbol
        self.capital = self.cash = capital
        self.position = 0.0
        self.average = 0.0
        self.entry_fill = ""
        self.entry_commission = 0.0
        self.trades = 0
        self.working: dict[str, Any] | None = None
        self.counts = {"signals": 0, "orders": 0, "fills": 0}
        self.rejects: dict[str, int] = {}

    def decide(self, bar: int, bar_id: str, close: float, slow: float | None, target: int, quantity: float) -> None:
        run = self.run
        self.counts["signals"] += 1
        signal = run.add(
            STRATEGY,
            "SIGNAL",
            bar,
            run.next_place(bar, DECISION),
            {
                "strategy": "trend",
                "kind": "direction",
                "target": target,
                "action": {1: "enter_long", -1: "enter_short", 0: "exit"}[target],
                "price": close,
                "rule": "enter_long" if target == 1 else "exit",
                "features": {"fast": close, "slow": slow},
            },
            cause=bar_id,
            symbol=self.symbol,
        )
        change = target * quantity - self.position
        place = run.next_place(bar, DECISION)
        if change == 0:
            payload: dict[str, Any] = {
                "reason": "already_in_position",
                "portfolio": PORTFOLIO,
                "position": self.position,
            }
            run.add(PORTFOLIO, "REJECT", bar, place, payload, cause=signal, flow=signal, symbol=self.symbol)
            self.rejects["already_in_position"] = self.rejects.get("already_in_position", 0) + 1
            return
        self.counts["orders"] += 1
        order_id = f"{PORTFOLIO}#{len(run.events[PORTFOLIO]) + 1}"
        self.working = {
            "order_id": order_id,
            "side": "buy" if change > 0 else "sell",
            "quantity": abs(change),
            "order_type": "market",
            "time_in_force": "GTC",
            "purpose": "entry" if self.position == 0 else "exit" if target == 0 else "reversal",
            "sizing": {
                "type": "fixed",
                "equity": self.cash + self.position * close,
                "price": close,
                "raw_quantity": quantity,
                "lot": 1.0,
                "position": self.position,
                "target_position": target * quantity,
            },
        }
        run.add(PORTFOLIO, "ORDER", bar, place, self.working, cause=signal, flow=signal, symbol=self.symbol)

    def meet(self, bar: int, bar_id: str, price: float, close: float) -> None:
        order, self.working = self.working, None
        if order is None:
            return
        run, symbol = self.run, self.symbol
        flow = run.events[PORTFOLIO][int(order["order_id"].partition("#")[2]) - 1]["correlation_id"]
        quantity, sign = order["quantity"], 1 if order["side"] == "buy" else -1
        commission = price * quantity * 0.001
        needed = price * quantity + commission
        links: dict[str, Any] = {"flow": flow, "symbol": symbol}
        if sign > 0 and needed > self.cash:
            rejected = {
                "reason": "insufficient_cash",
                "order_id": order["order_id"],
                "portfolio": PORTFOLIO,
                "needed": needed,
                "available": self.cash,
            }
            place = run.next_place(bar, MARKET)
            run.add(EXECUTION, "REJECT", bar, place, rejected, cause=order["order_id"], **links)
            self.rejects["insufficient_cash"] = self.rejects.get("insufficient_cash", 0) + 1
            return
        self.counts["fills"] += 1
        fill = run.add(
            EXECUTION,
            "FILL",
            bar,
            run.next_place(bar, MARKET),
            {
                "order_id": order["order_id"],
                "portfolio": PORTFOLIO,
                "side": order["side"],
                "quantity": quantity,
                "price": price,
                "reference_price": price,
                "slippage": 0.0,
                "commission": commission,
                "value": price * quantity,
                "remaining": 0.0,
                "bar": bar_id,
                "trigger": "open",
                "purpose": order["purpose"],
            },
            cause=order["order_id"],
            **links,
        )
        before = self.position
        self.cash -= sign * price * quantity + commission
        self.position += sign * quantity
        event_type = "POSITION_OPEN" if before == 0 else "POSITION_CLOSE" if self.position == 0 else "POSITION_CHANGE"
        payload: dict[str, Any] = {
            "quantity": self.position,
            "quantity_before": before,
            "average_price": price if self.position else 0.0,
            "realized_pnl": -commission,
            "cash": self.cash,
        }
        if before:
            closed = min(abs(before), quantity)
            gross = (price - self.average) * closed * (1 if before > 0 else -1)
            pnl = gross - self.entry_commission - commission * closed / quantity
            self.trades += 1
            payload["realized_pnl"] = gross - commission
            payload["trades"] = [
                {
                    "number": self.trades,
                    "direction": "long" if before > 0 else "short",
                    "quantity": closed,
                    "entry_price": self.average,
                    "exit_price": price,
                    "entry_fill": self.entry_fill,
                    "pnl": pnl,
                    "return": pnl / (self.average * closed),
                }
            ]
        if self.position:
            self.average, self.entry_fill = price, fill
            self.entry_commission = commission * abs(self.position) / quantity
        place = run.next_place(bar, MARKET)
        run.add(PORTFOLIO, event_type, bar, place, payload, cause=fill, **links)
        update = {
            "cash": self.cash,
            "equity": self.cash + self.position * close,
            "exposure": abs(self.position) * close,
            "positions": {symbol: self.position} if self.position else {},
        }
        run.add(PORTFOLIO, "PORTFOLIO_UPDATE", bar, run.next_place(bar, MARKET), update, cause=fill, flow=flow)

    def end(self, bar: int, close: float) -> None:
        run = self.run
        if self.working is not None:
            expired = {
                "order_id": self.working["order_id"],
                "portfolio": PORTFOLIO,
                "reason": "end_of_data",
                "remaining": self.working["quantity"],
            }
            order = run.events[PORTFOLIO][int(self.working["order_id"].partition("#")[2]) - 1]
            run.add(
                EXECUTION,
                "EXPIRE",
                bar,
                run.next_place(bar, DECISION),
                expired,
                cause=order["event_id"],
                flow=order["correlation_id"],
                symbol=self.symbol,
            )
        held = {
            self.symbol: {"quantity": self.position, "average_price": self.average, "last_price": close},
        }
        payloads: dict[str, dict[str, Any]] = {
            DATA: {"bars": len(run.events[DATA]) - 1},
            PORTFOLIO: {
                "cash": self.cash,
                "equity": self.cash + self.position * close,
                "initial_capital": self.capital,
                "positions": held if self.position else {},
                "metrics": {},
                "counts": {**self.counts, "trades": self.trades},
                "rejects": self.rejects,
            },
        }
        for container, rank in RANK.items():
            payload = {"status": "complete", **payloads.get(container, {})}
            run.add(container, "PHASE_END", bar, END + rank, payload)


def written(tmp_path: Path, **options: Any) -> Path:
    """A phase directory of a usual run: two round trips and one signal too many, over 40 bars."""
    closes = [100.0 + (bar % 10) for bar in range(40)]
    run = crossover_run(closes, {2: 1, 8: 0, 12: 1, 14: 1, 18: 0})
    return run.write(tmp_path / "wf_1" / "backtest", **options)
