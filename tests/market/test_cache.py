"""Tables kept from an earlier reading: the same bars and messages as without, found by content, never in the way."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from admf_cli.errors import MarketDataError
from admf_cli.market.cache import Reader, TableCache
from admf_cli.market.cache_directory import CacheDirectory, chosen_directory
from admf_cli.market.content import Beside, Content
from admf_cli.market.csv_columns import line_of
from admf_cli.market.csv_file import read_csv
from admf_cli.market.load import LoadedBars, load_bars
from admf_cli.market.parquet_file import read_parquet
from admf_cli.market.parquet_rows import row_number
from admf_cli.market.table import Table

HEAD = "timestamp,open,high,low,close,volume\n"
ROWS = "2020-01-02,1,2,0.5,1.5,10\n2020-01-03,1.5,2,1,1,10\n2020-01-06,1,2,1,1,10\n"
CSV = {"source": "csv"}
PATIENCE_S = 120.0
ROOT = Path(__file__).resolve().parents[2]


class Reading:
    """Reads files by a cache that is new each time, as every process has its own, and counts what was really read."""

    def __init__(self, directory: Path, **limits: int) -> None:
        self.directory = directory
        self._limits = limits
        self.read = 0

    def __call__(self, path: Path, settings: Mapping[str, Any] = CSV, name: str = "X") -> Table:
        cache = TableCache(CacheDirectory(self.directory, **self._limits))
        table = self.by(cache, path, settings, name)
        cache.finish(PATIENCE_S)
        return table

    def by(self, cache: TableCache, path: Path, settings: Mapping[str, Any] = CSV, name: str = "X") -> Table:
        read, line = (read_parquet, row_number) if settings["source"] == "parquet" else (read_csv, line_of)

        def counted(path: Path, settings: Mapping[str, Any], content: Content | None = None) -> Table:
            self.read += 1
            return read(path, settings, content)

        return cache.table(path, settings, name, Reader(counted, line, least_bytes=0))

    @property
    def entries(self) -> list[Path]:
        return sorted(self.directory.glob("*.bars"))


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    return Reading(tmp_path / "cache")


def written(path: Path, text: str = HEAD + ROWS) -> Path:
    data = text.encode()
    if path.suffix == ".gz":
        data = gzip.compress(data)
    if path.suffix in (".zst", ".parquet"):
        frame = polars.read_csv(data, try_parse_dates=path.suffix == ".parquet")
        if path.suffix == ".parquet":
            frame.write_parquet(path)
            return path
        frame.write_csv(path, compression="zstd")
        return path
    path.write_bytes(data)
    return path


def same(ours: Table, theirs: Table) -> bool:
    return (
        ours.source == theirs.source
        and ours.notes == theirs.notes
        and [ours.line(row) for row in range(3)] == [theirs.line(row) for row in range(3)]
        and ours.times.tobytes() == theirs.times.tobytes()
        and ours.columns.keys() == theirs.columns.keys()
        and all(ours.columns[name].tobytes() == theirs.columns[name].tobytes() for name in ours.columns)
        and (ours.symbols is None) == (theirs.symbols is None)
        and list(ours.symbols or ()) == list(theirs.symbols or ())
    )


SEVERAL = "symbol," + HEAD + "".join(f"{name},{row}\n" for row in ROWS.splitlines() for name in ("B", "A"))
TEXTS = {
    "plain": HEAD + ROWS,
    "several symbols": SEVERAL,
    "more columns": HEAD.replace("\n", ",adj_close,other\n") + ROWS.replace("\n", ",0.5,7\n"),
    "no line end": (HEAD + ROWS)[:-1],
    "no volume": "\n".join(line.rpartition(",")[0] for line in (HEAD + ROWS).splitlines()) + "\n",
}


@pytest.mark.parametrize("name", ["b.csv", "b.csv.gz", "b.csv.zst", "b.parquet"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_second_reading_gives_the_table_of_the_first(
    name: str, text: str, reading: Reading, tmp_path: Path
) -> None:
    path = written(tmp_path / name, text)
    settings = {"source": "parquet" if name.endswith("parquet") else "csv"}
    first, second = reading(path, settings), reading(path, settings)
    assert reading.read == 1
    assert same(first, second)
    assert first.source == str(path)
    assert all(
        column.flags.aligned and column.flags.c_contiguous for column in (second.times, *second.columns.values())
    )


def test_what_the_file_holds_decides_and_not_its_name_or_date(reading: Reading, tmp_path: Path) -> None:
    path = written(tmp_path / "b.csv")
    before = path.stat()
    assert reading(path).columns["open"][0] == 1.0
    path.write_text((HEAD + ROWS).replace("0.5,1.5", "0.7,1.5", 1))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert reading(path).columns["low"][0] == 0.7
    assert reading.read == 2
    assert len(reading.entries) == 2

    moved = path.rename(tmp_path / "other.csv")
    os.utime(moved, (1, 1))
    table = reading(moved)
    assert reading.read == 2  # found among two of one size
    assert (table.source, table.columns["low"][0]) == (str(moved), 0.7)


@pytest.mark.parametrize(
    "settings",
    [
        {"delimiter": ";"},
        {"columns": {"open": "close", "close": "open"}},
        {"timezone": "America/New_York"},
        {"timezone": "Europe/Berlin"},
    ],
    ids=["delimiter", "columns", "New York", "Berlin"],
)
def test_other_settings_are_another_table(settings: dict[str, Any], reading: Reading, tmp_path: Path) -> None:
    text = HEAD + ROWS.replace(",1,2,", ",1.25,2,")
    plain, other = tmp_path / "b.csv", tmp_path / "c.csv"
    plain.write_text(text.replace(",", settings["delimiter"]) if "delimiter" in settings else text)
    other.write_text(text)
    reading(other)
    for _ in range(2):
        assert same(reading(plain, {**CSV, **settings}), read_csv(plain, {**CSV, **settings}))
    assert reading.read == 2
    assert same(reading(other), read_csv(other, CSV))
    assert reading.read == 2


def test_a_time_zone_whose_rules_are_not_at_hand_keeps_nothing(
    reading: Reading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoneinfo.TZPATH", ())
    for _ in range(2):
        reading(written(tmp_path / "b.csv"), {**CSV, "timezone": "Europe/Berlin"})
    assert reading.read == 2
    assert not reading.directory.exists()


def test_how_a_name_says_that_a_file_is_packed_is_part_of_how_it_is_read(reading: Reading, tmp_path: Path) -> None:
    packed = written(tmp_path / "b.csv.gz")
    reading(packed)
    with pytest.raises(MarketDataError, match=r"this is a gzip file; let its name end in \.gz"):
        reading(packed.rename(tmp_path / "b.csv"))


def test_what_cannot_be_read_is_not_kept(reading: Reading, tmp_path: Path) -> None:
    path = written(tmp_path / "b.csv", HEAD + ROWS.replace("0.5", "half"))
    told = []
    for _ in range(2):
        with pytest.raises(MarketDataError) as caught:
            reading(path)
        told.append(str(caught.value))
    assert told[0] == told[1]
    assert reading.read == 2
    assert not reading.entries


def test_only_what_is_this_users_is_kept_and_only_this_user_can_read_it(reading: Reading, tmp_path: Path) -> None:
    reading(written(tmp_path / "b.csv"))
    (entry,) = reading.entries
    assert reading.directory.stat().st_mode & 0o777 == 0o700
    assert entry.stat().st_mode & 0o777 == 0o600

    reading.directory.chmod(0o770)  # others could write into it what we would take for our own
    reading(tmp_path / "b.csv")
    assert reading.read == 2


# What is wrong with an entry, and what it is made of.


def rebuilt(entry: Path, change: Callable[[dict[str, Any]], object], columns: bytes | None = None) -> None:
    """Write the entry anew with another head, its digests right: as somebody would who wants it to be taken."""
    seal, name, head, rest = entry.read_bytes().split(b"\n", 3)
    said = json.loads(head)
    lines = name + b"\n" + json.dumps(change(said) or said).encode() + b"\n"
    rest = rest if columns is None else columns
    digests = [hashlib.sha256(part).hexdigest().encode() for part in (lines, json.loads(name).encode() + rest)]
    entry.write_bytes(b" ".join([seal.rsplit(b" ", 2)[0], *digests]) + b"\n" + lines + rest)


def changed(entry: Path, place: int) -> None:
    data = bytearray(entry.read_bytes())
    data[place] ^= 1
    entry.write_bytes(data)


def nested(entry: Path) -> None:
    lines = b'"X"\n' + b"[" * 100_000 + b"\n"
    digest = hashlib.sha256(lines).hexdigest().encode()
    entry.write_bytes(b"ADMF table 1 " + digest + b" " + digest + b"\n" + lines)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda entry: entry.write_bytes(b""),
    "foreign": lambda entry: entry.write_bytes(b"not ours\n" * 100),
    "binary": lambda entry: entry.write_bytes(os.urandom(4096)),
    "no line ends": lambda entry: entry.write_bytes(b"x" * 4096),
    "another version": lambda entry: changed(entry, 11),
    "a digit of the head's digest": lambda entry: changed(entry, 20),
    "a digit of the columns' digest": lambda entry: changed(entry, 90),
    "a name": lambda entry: changed(entry, 144),
    "a count": lambda entry: entry.write_bytes(entry.read_bytes().replace(b'"rows": 3', b'"rows": 2')),
    "a price": lambda entry: changed(entry, -60),
    "the last byte": lambda entry: changed(entry, -1),
    "cut off": lambda entry: os.truncate(entry, entry.stat().st_size - 1),
    "cut off in its head": lambda entry: os.truncate(entry, 160),
    "longer": lambda entry: entry.write_bytes(entry.read_bytes() + b"\0"),
    "a directory": lambda entry: (entry.unlink(), entry.mkdir()),
    "a pipe": lambda entry: (entry.unlink(), os.mkfifo(entry)),
    "a link": lambda entry: (entry.rename(entry.with_name("elsewhere")), entry.symlink_to("elsewhere")),
    "nested without end": nested,
    "more rows than memory": lambda entry: rebuilt(entry, lambda head: head.update(rows=1 << 58)),
    "rows that are no number": lambda entry: rebuilt(entry, lambda head: head.update(rows="3")),
    "no rows": lambda entry: rebuilt(entry, lambda head: head.update(rows=0), b""),
    "no list of columns": lambda entry: rebuilt(entry, lambda head: head.update(columns=None)),
    "a column missing": lambda entry: rebuilt(entry, lambda head: head.update(columns=["open", "high"])),
    "symbols that are no texts": lambda entry: rebuilt(entry, lambda head: head.update(symbols=[1, 2])),
    "no head": lambda entry: rebuilt(entry, lambda head: [1]),
    "notes that are no texts": lambda entry: rebuilt(entry, lambda head: head.update(notes=[{}])),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_or_foreign_entry_is_not_taken(
    damage: Callable[[Path], object], reading: Reading, tmp_path: Path
) -> None:
    path = written(tmp_path / "b.csv")
    first = reading(path)
    (entry,) = reading.entries
    sound = entry.read_bytes()
    damage(entry)
    assert same(reading(path), first)
    assert reading.read == 2
    if not entry.is_dir():  # which is not ours to remove
        assert entry.read_bytes() == sound
        assert same(reading(path), first)
        assert reading.read == 2


@pytest.mark.parametrize("code", [-1, 2])
def test_a_row_of_a_symbol_that_is_not_named_is_not_taken(code: int, reading: Reading, tmp_path: Path) -> None:
    path = written(tmp_path / "b.csv", SEVERAL)
    first = reading(path)
    (entry,) = reading.entries
    columns = entry.read_bytes().split(b"\n", 3)[3]
    rebuilt(entry, lambda head: None, columns[:-8] + np.int64(code).tobytes())
    assert same(reading(path), first)
    assert reading.read == 2


# Where nothing can be kept.


@pytest.mark.parametrize("place", ["file", "below a file", "full"])
def test_a_place_that_cannot_be_written_to_changes_nothing(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    directory = {"file": "file", "below a file": "file/cache", "full": "full"}[place]
    reading = Reading(tmp_path / directory, **({"max_bytes": 100} if place == "full" else {}))
    path = written(tmp_path / "b.csv")
    for _ in range(2):
        assert same(reading(path), read_csv(path, CSV))
    assert reading.read == 2
    assert (tmp_path / "file").read_text() == "mine"
    assert not list(tmp_path.glob("full/*"))


def test_a_disk_that_has_no_more_room_leaves_nothing_behind(tmp_path: Path) -> None:
    path = written(tmp_path / "b.csv")
    code = (
        "import resource, signal, sys\nfrom pathlib import Path\n"
        "from tests.market.test_cache import Reading\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
        "assert len(Reading(Path(sys.argv[2]))(Path(sys.argv[1])).times) == 3\n"
    )
    command = [sys.executable, "-c", code, str(path), str(tmp_path / "cache")]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_entry_takes_only_a_small_part_of_what_is_free(tmp_path: Path) -> None:
    directory = CacheDirectory(tmp_path, max_bytes=1 << 62)
    directory.write("0" * 32 + "-1-" + "0" * 64 + ".bars", 1 << 61, lambda file: pytest.fail("there is no such room"))
    assert list(tmp_path.iterdir()) == []


def test_a_system_that_has_no_more_threads_reads_all_the_same(
    reading: Reading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    path = written(tmp_path / "b.csv")
    monkeypatch.setattr(threading.Thread, "start", refuse)
    table = reading(path)
    assert same(table, read_csv(path, CSV))
    assert table.bars_sha256 is not None
    assert table.bars_sha256() == table.bars_sha256()
    assert not reading.directory.exists()
    assert [Beside(lambda: 7).value() for _ in range(2)] == [7, 7]


# What stays, and what goes.


def test_what_was_unused_for_longest_makes_room(tmp_path: Path) -> None:
    paths = [written(tmp_path / f"{n}.csv", HEAD + ROWS.replace("0.5", f"0.{n}")) for n in range(1, 4)]
    unbounded = Reading(tmp_path / "cache")
    unbounded(paths[0])
    (entry,) = unbounded.entries
    reading = Reading(tmp_path / "cache", max_bytes=2 * entry.stat().st_size)
    reading(paths[1])
    (tmp_path / "cache" / "mine.bars").write_bytes(b"x" * 10_000)
    for age, name in (
        (200, entry),
        (100, next(name for name in reading.entries if name not in (entry, tmp_path / "cache" / "mine.bars"))),
    ):
        os.utime(name, (name.stat().st_mtime - age,) * 2)
    reading(paths[0])  # used again, so that the other is the older one
    assert reading.read == 1
    reading(paths[2])
    assert reading.read == 2
    reading(paths[0])
    assert reading.read == 2
    reading(paths[1])
    assert reading.read == 3
    assert (tmp_path / "cache" / "mine.bars").stat().st_size == 10_000


@pytest.mark.parametrize("limits", [{"max_bytes": 800}, {"max_entries": 2}], ids=["bytes", "entries"])
def test_files_of_a_run_that_reads_more_than_fits_do_not_push_out_each_other(
    limits: dict[str, int], tmp_path: Path
) -> None:
    paths = [written(tmp_path / f"{n}.csv", HEAD + ROWS.replace("0.5", f"0.{n}")) for n in range(1, 5)]
    reading = Reading(tmp_path / "cache", **limits)
    for _ in range(3):
        cache = TableCache(CacheDirectory(reading.directory, **limits))
        for path in paths:
            reading.by(cache, path)
            cache.finish(PATIENCE_S)
    assert len(reading.entries) == 2
    assert reading.read == 4 + 2 + 2


def test_what_nobody_used_for_a_month_or_a_kill_left_behind_is_removed(reading: Reading, tmp_path: Path) -> None:
    old, new = (written(tmp_path / f"{n}.csv", HEAD + ROWS.replace("0.5", f"0.{n}")) for n in (1, 2))
    reading(old)
    (entry,) = reading.entries
    left = reading.directory / "admf-abandoned.tmp"
    young = reading.directory / "admf-young.tmp"
    strangers = [reading.directory / "notes.txt", reading.directory / "admf-mine.txt"]
    for path in (left, young, *strangers):
        path.write_text("")
    for path in (entry, left, *strangers):
        os.utime(path, (path.stat().st_mtime - 31 * 86_400,) * 2)
    reading(new)
    assert sorted(path for path in reading.directory.iterdir() if path.suffix != ".bars") == sorted([young, *strangers])
    assert len(reading.entries) == 1
    assert entry not in reading.entries


def test_a_process_killed_in_mid_write_leaves_what_is_never_taken(reading: Reading, tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from admf_cli.market.cache_directory import CacheDirectory\n"
        "def write(file):\n"
        "    file.write(b'half')\n    file.flush()\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "CacheDirectory(Path(sys.argv[1])).write('0' * 32 + '-1-' + '0' * 64 + '.bars', 8, write)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(reading.directory)], timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = reading.directory.iterdir()
    assert left.suffix == ".tmp"
    path = written(tmp_path / "b.csv")
    assert same(reading(path), reading(path))
    assert reading.read == 1
    assert len(reading.entries) == 1


def test_a_fault_in_mid_write_leaves_nothing(tmp_path: Path) -> None:
    def write(file: Any) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        CacheDirectory(tmp_path).write("0" * 32 + "-1-" + "0" * 64 + ".bars", 8, write)
    assert list(tmp_path.iterdir()) == []


# Bars and messages.


def minutes(path: Path, rows: int = 30_000, *, symbols: tuple[str, ...] = (), fault: str = "") -> Path:
    """Write more than a MiB of bars of one minute, a row of which is another if `fault` says so."""
    start = datetime(2020, 1, 2)
    lines = ["symbol," * bool(symbols) + HEAD.strip()]
    for number in range(rows):
        moment = start + timedelta(minutes=number)
        low = 90.0 + number % 7 / 8
        line = f"{moment},{low + 1},{low + 2.125},{low},{low + 1.5},{number % 100 + 1}"
        lines += [f"{name},{line}" for name in symbols] if symbols else [line]
    if fault:
        lines[20_000] = fault
    text = "\n".join(lines) + "\n"
    if path.suffix == ".parquet":
        polars.read_csv(text.encode(), try_parse_dates=True).write_parquet(path)
    else:
        path.write_text(text)
        assert path.stat().st_size > 1 << 20
    return path


def loaded(path: Path, directory: Path | None, **settings: Any) -> LoadedBars:
    cache = None if directory is None else TableCache(CacheDirectory(directory))
    source = "parquet" if path.suffix == ".parquet" else "csv"
    bars = load_bars({"source": source, "path": str(path), **settings}, cache=cache)
    if cache is not None:
        cache.finish(PATIENCE_S)
    return bars


def same_bars(ours: LoadedBars, theirs: LoadedBars) -> bool:
    names = ("times", "open", "high", "low", "close", "volume")
    return (
        ours.bars.symbols == theirs.bars.symbols
        and (ours.timeframe, ours.warnings) == (theirs.timeframe, theirs.warnings)
        and all(np.array_equal(getattr(ours.bars, name), getattr(theirs.bars, name)) for name in names)
        and ours.sha256() == theirs.sha256()
    )


@pytest.mark.parametrize("name", ["b.csv", "b.parquet"])
@pytest.mark.parametrize("symbols", [(), ("B", "A")], ids=["one symbol", "several"])
def test_bars_are_the_same_and_cannot_be_written_to(name: str, symbols: tuple[str, ...], tmp_path: Path) -> None:
    path, directory = minutes(tmp_path / name, symbols=symbols), tmp_path / "cache"
    plain = loaded(path, None)
    for _ in range(2):
        bars = loaded(path, directory)
        assert same_bars(bars, plain)
        arrays = (bars.bars.times, bars.bars.open, bars.bars.high, bars.bars.low, bars.bars.close, bars.bars.volume)
        assert not any(array.flags.writeable for array in arrays)
    (entry,) = directory.glob("*.bars")
    assert not list(tmp_path.glob(".*"))
    if symbols:
        assert same_bars(loaded(path, directory, symbols=["A"]), loaded(path, None, symbols=["A"]))
    else:
        # The digest depends on the name: what is kept under another one is worked out anew.
        assert same_bars(loaded(path, directory, symbols=["Z"]), loaded(path, None, symbols=["Z"]))
        files = {"A": str(path), "B": str(path)}
        two = {"source": bars_source(path), "path": files}
        cache = TableCache(CacheDirectory(directory))
        assert same_bars(load_bars(two, cache=cache), load_bars(two))
        assert same_bars(
            load_bars({**two, "path": {"A": str(path)}}, cache=cache), load_bars({**two, "path": {"A": str(path)}})
        )
    assert list(directory.glob("*.bars")) == [entry]


def bars_source(path: Path) -> str:
    return "parquet" if path.suffix == ".parquet" else "csv"


def test_adjusted_prices_are_worked_out_from_what_is_kept(tmp_path: Path) -> None:
    path = minutes(tmp_path / "b.csv")
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([f"{head},adj_close", *(f"{row},45.5" for row in rows)]) + "\n")
    plain, adjusted = loaded(path, None), loaded(path, None, adjust=True)
    assert plain.sha256() != adjusted.sha256()
    for _ in range(2):
        assert same_bars(loaded(path, tmp_path / "cache", adjust=True), adjusted)
        assert same_bars(loaded(path, tmp_path / "cache"), plain)
    assert len(list((tmp_path / "cache").glob("*.bars"))) == 1


@pytest.mark.parametrize("name", ["b.csv", "b.parquet"])
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("2020-01-15 21:19:00,1,0.5,0.25,1,1", "column high: high is below open or close"),
        ("2020-01-15 21:18:00,1,2,0.5,1,1", "stands there twice"),
        ("2020-01-15 21:17:00,1,2,0.5,1,1", "comes after a later time"),
    ],
    ids=["a value", "a time twice", "the order"],
)
def test_a_fault_is_told_with_its_row_both_times(name: str, fault: str, said: str, tmp_path: Path) -> None:
    path = minutes(tmp_path / name, fault=fault)
    told = []
    for directory in (None, tmp_path / "cache", tmp_path / "cache"):
        with pytest.raises(MarketDataError, match=said) as caught:
            loaded(path, directory)
        told.append(str(caught.value))
        assert f"row {20_001 if name == 'b.csv' else 20_000}, column" in told[-1]
    assert len(set(told)) == 1


def test_warnings_are_told_both_times_and_strict_ones_are_faults(tmp_path: Path) -> None:
    path = minutes(tmp_path / "b.csv", fault="2020-01-15 21:19:00,40,40,40,40,0")
    path.write_text(path.read_text()[:-1])
    for _ in range(2):
        bars = loaded(path, tmp_path / "cache")
        assert bars.warnings == loaded(path, None).warnings
        assert bars.warnings[0] == f"{path}: the last line has no line end, as if the file were cut off there"
        assert len(bars.warnings) == 2
        with pytest.raises(MarketDataError, match=r"data\.strict is on"):
            loaded(path, tmp_path / "cache", strict=True)


def test_a_small_csv_file_is_not_kept_but_any_parquet_file_is(tmp_path: Path) -> None:
    loaded(written(tmp_path / "b.csv"), tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
    loaded(written(tmp_path / "b.parquet"), tmp_path / "cache")
    assert len(list((tmp_path / "cache").glob("*.bars"))) == 1


@pytest.mark.parametrize(
    ("environment", "directory"),
    [
        ({"ADMF_CACHE_DIR": "/a/b", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/a/b"),
        ({"ADMF_CACHE_DIR": "", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, None),
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/admf"),
        ({"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/admf"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/admf"),
        ({"HOME": "relative"}, None),
        ({"HOME": ""}, None),
        ({}, None),
    ],
)
def test_the_environment_chooses_the_directory(
    environment: dict[str, str], directory: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert chosen_directory(environment) == (None if directory is None else Path(directory))


def test_a_working_directory_that_is_gone_is_no_place_for_a_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert chosen_directory({"ADMF_CACHE_DIR": "cache"}) is None


def test_macos_has_a_directory_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert chosen_directory({"HOME": "/h"}) == Path("/h/Library/Caches/admf")
