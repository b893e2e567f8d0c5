"""`data` and `instruments`: which bars are read, and the units they trade in. Refuses to know how they are read."""

import re
from typing import Annotated, Any, Literal

from pydantic import Field, Tag, WithJsonSchema

from admf_cli.config.schema.base import Check, Moment, Positive, Section, Symbol, Text, fault, tagged

_TIMEFRAME = re.compile(r"[1-9][0-9]{0,5}(?:s|m|h|d|w|mo)")
_UNITS = {"min": "m", "t": "m", "minute": "m", "minutes": "m", "sec": "s", "second": "s", "seconds": "s", "hour": "h"}
_UNITS |= {"hours": "h", "day": "d", "days": "d", "b": "d", "week": "w", "weeks": "w", "month": "mo", "months": "mo"}
_UNITS |= {unit: unit for unit in ("s", "m", "h", "d", "w", "mo")}


def _check_timeframe(text: str) -> str:
    if _TIMEFRAME.fullmatch(text):
        return text
    parts = re.fullmatch(r"([1-9][0-9]{0,5})? ?([A-Za-z]{1,7})", text, re.ASCII)
    words = {"daily": "1d", "hourly": "1h", "weekly": "1w", "monthly": "1mo", "minutely": "1m"}
    guess = words.get(text.lower())
    if parts and parts[2].lower() in _UNITS and parts[2] != "M":
        guess = f"{parts[1] or 1}{_UNITS[parts[2].lower()]}"
    elif parts and parts[2] == "M":
        guess = f"{parts[1] or 1}m for minutes or {parts[1] or 1}mo for months"
    raise fault("a timeframe is a whole number and s, m, h, d, w or mo", f"write {guess or '1d, 15m or 1mo'}")


def _check_timezone(text: str) -> str:
    if text == "UTC":
        return text
    import zoneinfo
    from difflib import get_close_matches

    try:
        zoneinfo.ZoneInfo(text)
        return text
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = zoneinfo.available_timezones()
    if not known and re.fullmatch(r"[A-Za-z_]+(?:/[A-Za-z0-9_+-]+){0,2}", text):
        return text  # a system without the IANA database; the reader of the data has one of its own
    close = get_close_matches(text[:64], known, n=1, cutoff=0.6)
    close = close or sorted(zone for zone in known if zone.lower().endswith("/" + text.lower().replace(" ", "_")))
    raise fault(
        "a time zone is an IANA name", f"did you mean {close[0]}?" if close else "write UTC or America/New_York"
    )


Timeframe = Annotated[
    str, Check(_check_timeframe), WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]*(s|m|h|d|w|mo)$"})
]
Timezone = Annotated[str, Check(_check_timezone), WithJsonSchema({"type": "string"})]


def _check_delimiter(text: str) -> str:
    if len(text) != 1 or text.isalnum() or not (text.isprintable() or text == "\t") or text in "\"'+-.:":
        raise fault("a delimiter is one character that no cell holds", 'write ",", ";", "|" or "\\t"')
    return text


Delimiter = Annotated[str, Check(_check_delimiter), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 1})]


class Synthetic(Section):
    """A seeded random walk (geometric Brownian motion), so that a run needs no file."""

    bars: int = Field(1000, ge=1, le=100_000_000, description="Number of bars per symbol.")
    seed: int = Field(1, ge=0, description="Equal seeds give equal bars.")
    drift: float = Field(0.05, ge=-10, le=10, description="Expected log return a year, as a fraction.")
    volatility: float = Field(0.2, ge=0, le=10, description="Standard deviation of log returns a year, as a fraction.")
    start_price: Positive = Field(100.0, description="Price before the first bar.")


class Columns(Section):
    """Our names of columns and the file's; only those that differ need to be here."""

    timestamp: Text | None = Field(None, description="Column of the bar's time.", examples=["Date"])
    open: Text | None = Field(None, description="Column of the open.")
    high: Text | None = Field(None, description="Column of the high.")
    low: Text | None = Field(None, description="Column of the low.")
    close: Text | None = Field(None, description="Column of the close.")
    volume: Text | None = Field(None, description="Column of the volume.")
    symbol: Text | None = Field(None, description="Column of the symbol, in files that hold several.")
    adj_close: Text | None = Field(None, description="Column of the adjusted close, used by `adjust`.")


def _path_kind(value: Any) -> str:
    return "files" if isinstance(value, dict) else "file"


class Data(Section):
    """Which bars are read."""

    source: Literal["csv", "parquet", "synthetic"] = Field("csv", description="Kind of source.")
    path: (
        Annotated[
            Annotated[Text, Tag("<file>")]
            | Annotated[dict[Symbol, Text], Field(min_length=1, max_length=10_000), Tag("<files>")],
            tagged(_path_kind),
        ]
        | None
    ) = Field(
        None,
        description="File of bars, in which {symbol} stands for each symbol, or a mapping of symbol to file. Relative "
        "to the working directory, else to the configuration's. Required unless the source is synthetic.",
        examples=["data/sp500_daily.csv", "data/{symbol}.csv", {"AMZN": "data/amzn_daily.csv"}],
    )
    symbols: Annotated[list[Symbol], Field(min_length=1, max_length=10_000)] | None = Field(
        None,
        description="Symbols to read; null = those of the file's `symbol` column, the keys of `path`, or the file's "
        "name without its ending.",
        examples=[["SPX"]],
    )
    start: Moment | None = Field(
        None, description="First date or UTC time; null = all.", examples=["2000-01-01", "2020-01-01T14:30:00Z"]
    )
    end: Moment | None = Field(
        None, description="Last date or UTC time, included; a date includes its whole day.", examples=["2018-12-31"]
    )
    timeframe: Timeframe | None = Field(
        None,
        description="Length of a bar: a number and s, m, h, d, w or mo; null = found from the data.",
        examples=["1d"],
    )
    timezone: Timezone = Field(
        "UTC", description="IANA zone of times in the file that have no offset.", examples=["America/New_York"]
    )
    columns: Columns = Field(
        default_factory=dict,
        validate_default=True,
        description="Our name of a column: the file's name of it.",
        examples=[{"timestamp": "Date", "close": "Last"}],
    )
    delimiter: Delimiter | None = Field(
        None,
        description="What separates the columns of a CSV file; null = a comma.",
        examples=[";"],
    )
    calendar: Text | None = Field(
        None, description="Exchange calendar (exchange_calendars); gaps against it are warnings.", examples=["XNYS"]
    )
    strict: bool = Field(False, description="Make warnings about the data errors.")
    adjust: bool = Field(False, description="Scale open, high, low and close by adj_close / close.")
    warmup: Literal["auto", "none"] = Field(
        "auto", description="auto = features of a phase may read bars before its start; none = they see the phase only."
    )
    periods_per_year: Positive | None = Field(
        None, description="Bars a year, to annualise; null = from the calendar or the timeframe.", examples=[252]
    )
    synthetic: Synthetic = Field(
        default_factory=dict,
        validate_default=True,
        description="The random walk, with `source: synthetic`.",
        examples=[{"bars": 1000, "seed": 7}],
    )


class Instrument(Section):
    """Units in which a symbol trades."""

    lot_size: Positive = Field(1.0, ge=1e-8, le=1e12, description="Quantities are multiples of it.", examples=[0.01])
    tick_size: Positive | None = Field(
        None, description="Prices are multiples of it; null = any price.", examples=[0.25]
    )
    multiplier: Positive = Field(1.0, le=1e12, description="Account currency per point and unit.", examples=[50])
