"""Which tables a trace's events make, and their columns with their types: the same for every run and version.

Whatever a payload lacks, or holds as another type, is null in its column. Refuses to know how tables are made.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

Kind = Literal["text", "number", "whole", "time", "json"]


class Column(Struct, frozen=True):
    """One column.

    Attributes:
        path: keys that lead to the value within a payload (or within a row of it).
    """

    name: str
    kind: Kind
    path: tuple[str, ...] = ()


class Table(Struct, frozen=True):
    """One table.

    Attributes:
        types: of the events that give rows; empty: all.
        columns: beside those in `COMMON`.
        each: "payload" for a row an event, "items" for a row a key of the payload, "trades" for one a closed trade.
    """

    name: str
    types: tuple[str, ...]
    columns: tuple[Column, ...]
    each: Literal["payload", "items", "trades"] = "payload"
    about: str = ""


COMMON = (
    Column("workflow_id", "text"),
    Column("phase", "text"),
    Column("container_id", "text"),
    Column("event_id", "text"),
    Column("event_type", "text"),
    Column("sequence", "whole"),
    Column("bar", "whole"),
    Column("time", "time"),
    Column("symbol", "text"),
    Column("correlation_id", "text"),
    Column("causation_id", "text"),
)


def _columns(text: str) -> tuple[Column, ...]:
    """Return columns written as `name:kind` or `name:kind=key.key`; numbers need no kind."""
    columns = []
    for word in text.split():
        head, _, path = word.partition("=")
        name, _, kind = head.partition(":")
        columns.append(Column(name, _KINDS[kind], tuple((path or name).split("."))))
    return tuple(columns)


_KINDS: Mapping[str, Kind] = MappingProxyType({"": "number", "text": "text", "whole": "whole", "json": "json"})


_TABLES = (
    Table("events", (), (Column("payload", "json"),), about="every event, its payload as JSON"),
    Table("bars", ("BAR",), _columns("open high low close volume"), about="bars as the run read them"),
    Table("features", ("FEATURE",), _columns("name:text value"), "items", "a row a feature and bar"),
    Table(
        "signals",
        ("SIGNAL",),
        _columns("strategy:text kind:text action:text target price rule:text features:json"),
        about="what strategies asked for",
    ),
    Table(
        "orders",
        ("ORDER",),
        _columns(
            "order_id:text side:text quantity order_type:text time_in_force:text purpose:text limit_price stop_price "
            "parent:text oco:text sizing_type:text=sizing.type sizing_equity=sizing.equity sizing_price=sizing.price "
            "raw_quantity=sizing.raw_quantity lot_size=sizing.lot_size position_before=sizing.position_before "
            "position_target=sizing.position_target trail:json sizing:json"
        ),
        about="orders with the arithmetic of their size",
    ),
    Table(
        "fills",
        ("FILL",),
        _columns(
            "order_id:text portfolio:text side:text quantity price reference_price slippage commission value remaining "
            "bar_event:text=bar trigger:text purpose:text"
        ),
        about="executions with their costs",
    ),
    Table(
        "rejects",
        ("REJECT",),
        _columns("reason:text order_id:text portfolio:text needed available limit value"),
        about="signals and orders refused, with the numbers behind it",
    ),
    Table(
        "cancels",
        ("CANCEL", "EXPIRE"),
        _columns("reason:text order_id:text portfolio:text remaining"),
        about="orders that ended without a fill",
    ),
    Table(
        "positions",
        ("POSITION_OPEN", "POSITION_CHANGE", "POSITION_CLOSE"),
        _columns("quantity quantity_before average_price realized_pnl cash"),
        about="a row a change of a position",
    ),
    Table(
        "trades",
        ("POSITION_CHANGE", "POSITION_CLOSE"),
        _columns("number:whole direction:text quantity entry_price exit_price entry_fill:text pnl return"),
        "trades",
        "closed trades; time is the exit's",
    ),
    Table(
        "equity",
        ("PORTFOLIO_UPDATE",),
        _columns("cash equity exposure positions:json"),
        about="a portfolio at the close of each bar with a fill",
    ),
    Table("breaches", ("RISK_BREACH",), _columns("rule:text limit value action:text"), about="risk limits crossed"),
    Table("financing", ("FINANCING",), _columns("interest borrow_fee cash"), about="interest and borrow fees"),
    Table("errors", ("ERROR",), _columns("message:text error:text file:text line:whole"), about="what broke a run off"),
    Table(
        "phase_starts",
        ("PHASE_START",),
        _columns("mode:text container_type:text settings:json"),
        about="each container's settings",
    ),
    Table(
        "phase_ends",
        ("PHASE_END",),
        (*_columns("status:text"), Column("payload", "json")),
        about="each container's last word",
    ),
)
TABLES: Mapping[str, Table] = MappingProxyType({table.name: table for table in _TABLES})
