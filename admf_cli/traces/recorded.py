"""What a phase recorded of its market, its fills and its portfolios, and what of it was not kept.

Refuses to rebuild anything from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import Struct, field

from admf_cli.tracefile.discovery import ContainerTrace
from admf_cli.tracefile.format import BAR_SHIFT
from admf_cli.tracefile.payloads import what_lacks
from admf_cli.traces.archive import Archive
from admf_cli.traces.dense import DenseBlock
from admf_cli.traces.event import BOOKING_TYPES, amount
from admf_cli.traces.faults import FaultLog
from admf_cli.traces.moments import microseconds
from admf_cli.traces.rebuild import Market, TracedFill
from admf_cli.traces.scan import scan, scan_dense


class Reported(Struct):
    """What one portfolio's file says.

    Attributes:
        financing: sequence, bar and change of cash of each.
        updates: bar -> id and payload of its last PORTFOLIO_UPDATE, unless financing followed it.
        trades: id of the event that closed it, and the trade.
        end: payload of its PHASE_END, None if there is none; `end_id` its id.
    """

    capital: float | None = None
    financing: list[tuple[int, int, float]] = field(default_factory=list)
    updates: dict[int, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    trades: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    end: Mapping[str, Any] | None = None
    end_id: str = ""


def read_market(archive: Archive, containers: list[str]) -> tuple[Market, list[str]]:
    """Return the closes that data containers published, and what of them is lacking."""
    market, lacks = Market(), list[str]()
    for container_id in containers:
        start = archive.start(container_id)
        named = start.mapping("settings").get("symbols") if start else None
        market.symbols += [one for one in named if isinstance(one, str)] if isinstance(named, list) else []
        for block in scan_dense(_container(archive, container_id), container_id, FaultLog(keep=0)):
            if isinstance(block, DenseBlock):
                if block.event_type == "BAR":
                    closes = np.array([amount(one, "close") for one in block.payloads], dtype=np.float64)
                    bars = block.sequences >> BAR_SHIFT
                    market.add(bars, block.times, [one or "" for one in block.symbols], closes)
                continue
            rows = [
                (sequence >> BAR_SHIFT, microseconds(timestamp) or 0, symbol or "", amount(payload, "close"))
                for sequence, timestamp, symbol, kind, payload in zip(
                    block.sequences, block.timestamps, block.symbols, block.types, block.payloads, strict=True
                )
                if kind == "BAR"
            ]
            if rows:
                table = np.array([row[:2] for row in rows], dtype=np.int64)
                prices = np.array([row[3] for row in rows], dtype=np.float64)
                market.add(table[:, 0], table[:, 1], [row[2] for row in rows], prices)
        lacks += gaps(archive, container_id, "BAR", "equity at every close and the metrics of it need them")
    if not containers:
        lacks.append("the data container was not traced: equity at every close and the metrics of it need its BARs")
    elif not lacks and len(market.bars()) and int(market.bars()[-1]) + 1 != len(market.bars()):
        lacks.append("BARs are missing: the equity of their closes can't be known")
    return market, lacks


def read_fills(archive: Archive, containers: list[str]) -> tuple[dict[str, list[TracedFill]], list[str]]:
    """Return every portfolio's fills in order, and what of them is lacking."""
    fills: dict[str, list[TracedFill]] = {}
    lacks: list[str] = []
    for container_id in containers:
        for block in scan(_container(archive, container_id), container_id, FaultLog(keep=0)):
            for event_id, sequence, kind, symbol, payload in zip(
                block.event_ids, block.sequences, block.types, block.symbols, block.payloads, strict=True
            ):
                if kind != "FILL" or what_lacks(kind, payload) or not payload["quantity"] > 0:
                    continue
                fill = TracedFill(
                    event_id,
                    sequence,
                    sequence >> BAR_SHIFT,
                    symbol or "",
                    1 if payload["side"] == "buy" else -1,
                    *(payload[key] for key in ("quantity", "price", "slippage", "commission", "value")),
                )
                fills.setdefault(payload["portfolio"], []).append(fill)
        lacks += gaps(archive, container_id, "FILL", "positions, cash and trades are made of them")
    if not containers:
        lacks.append("the execution container was not traced: positions, cash and trades are made of its FILLs")
    return fills, lacks


def read_portfolio(archive: Archive, portfolio: str) -> Reported:
    """Return what a portfolio reported."""
    reported = Reported()
    for block in scan(_container(archive, portfolio), portfolio, FaultLog(keep=0)):
        for event_id, sequence, kind, payload in zip(
            block.event_ids, block.sequences, block.types, block.payloads, strict=True
        ):
            if kind in BOOKING_TYPES:
                trades = payload.get("trades")
                for trade in trades if isinstance(trades, list) else ():
                    if isinstance(trade, dict) and isinstance(trade.get("number"), int):
                        reported.trades.append((event_id, trade))
            elif kind == "PORTFOLIO_UPDATE":
                reported.updates[sequence >> BAR_SHIFT] = (event_id, payload)
            elif kind == "FINANCING":
                change = (amount(payload, "interest") or 0.0) - (amount(payload, "borrow_fee") or 0.0)
                reported.financing.append((sequence, sequence >> BAR_SHIFT, change))
                reported.updates.pop(sequence >> BAR_SHIFT, None)  # it is no longer how the bar ended
            elif kind == "PHASE_START":
                settings = payload.get("settings")
                reported.capital = amount(settings, "initial_capital") if isinstance(settings, dict) else None
            elif kind == "PHASE_END":
                reported.end, reported.end_id = payload, event_id
                capital = amount(payload, "initial_capital")
                reported.capital = capital if capital is not None else reported.capital
    return reported


def gaps(archive: Archive, container_id: str, event_type: str, need: str, *, optional: bool = False) -> list[str]:
    """Say what of a type is not on disk, as far as the seal tells."""
    meta = archive.meta(container_id)
    if meta is None:
        if optional:
            return []
        return [f"{container_id} was never sealed: {event_type}s of its end may be missing; {need}"]
    tally = meta.events.get(event_type)
    if tally is None or not tally.dropped + tally.filtered:
        return []
    how = "dropped by max_events" if tally.dropped else "filtered out"
    return [f"{tally.dropped + tally.filtered:,} {event_type}s of {container_id} were {how}: {need}"]


def _container(archive: Archive, container_id: str) -> ContainerTrace:
    container = archive.phase.container(container_id)
    assert container is not None
    return container
