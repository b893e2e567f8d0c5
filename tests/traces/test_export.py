"""`admf traces export`: each format read by a reader that isn't ours, or held against the published format's rules.

Perfetto is the latter: the `perfetto` package (0.59.1 tried) downloads its trace_processor_shell when first used.
"""

from __future__ import annotations

import base64
import csv
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from commandline import traces
from google.protobuf import json_format
from handmade import Run, crossover_run, written
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

from admf_cli import run_backtest
from admf_cli.tracefile.discovery import discover_some
from admf_cli.traces.export.interface import Request
from admf_cli.traces.export.otlp import export_otlp
from admf_cli.traces.tables.schema import TABLES

ROOT = Path(__file__).resolve().parents[2]
NASTY = '[b]<script>"x"</script>\x1b[31m\u202e`#=1'


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on real data in which much happens: stops, reversals, refusals, a halt."""
    folder = tmp_path_factory.mktemp("traces")
    run_backtest(
        {
            "data": {
                "path": str(ROOT / "data" / "sp500_daily.csv"),
                "symbols": ["SPX"],
                "start": "2000-01-01",
                "end": "2006-12-31",
            },
            "strategies": [
                {
                    "name": "t",
                    "type": "sma_crossover",
                    "params": {"fast": 5, "slow": 20, "direction": "long_short", "repeat": True},
                }
            ],
            "risk_profiles": [
                {
                    "name": "r",
                    "sizing": {"type": "percent_equity", "percent": 0.9},
                    "stop_loss": 0.03,
                    "cooldown": 4,
                    "max_drawdown": 0.3,
                }
            ],
            "execution": {"trace_settings": {"max_events": None, "trace_dir": str(folder)}},
            "results": {"write": False},
        },
        workflow_id="wf",
    )
    return folder / "wf"


def events(directory: Path) -> list[dict[str, Any]]:
    lines = [line for file in directory.rglob("*.jsonl") for line in file.read_text().splitlines()]
    return sorted(map(json.loads, lines), key=lambda event: event["sequence"])


def export(directory: Path, target: str, output: Path, *options: str) -> str:
    done = traces("export", directory, "--to", target, "--output", output, *options)
    assert done.exit_code == 0, done.stderr
    return done.stderr


def hostile(tmp_path: Path) -> Path:
    run = crossover_run([100.0, 101.0, 102.0, 103.0, 104.0, 105.0], {1: 1, 3: 0})
    run.add("data", "BAR", 4, 1030, {"open": NASTY, "close": 1.0, "deep": [[{"a": [NASTY]}]]}, symbol=NASTY)
    run.add(
        "strategy_trend", "SIGNAL", 4, 400_000, {"rule": NASTY, "action": NASTY, "features": {NASTY: 1}}, symbol=NASTY
    )
    run.add(
        "portfolio_trend_base",
        "REJECT",
        4,
        400_001,
        {"reason": NASTY},
        cause="strategy_trend#4",
        flow="strategy_trend#4",
    )
    run.add("portfolio_trend_base", "NOVEL", 4, 400_002, {"x": True}, cause="nowhere#1")
    phase = run.write(tmp_path / "wf" / "p")
    file = phase / "data.jsonl"
    file.write_bytes(b"junk\n" + file.read_bytes() + b"torn")
    return phase


def test_perfetto_s_format_is_kept_to(real: Path, tmp_path: Path) -> None:
    for axis in ("sim", "sequence"):
        export(real, "perfetto", tmp_path / f"{axis}.json", "--time", axis)
        document = json.loads((tmp_path / f"{axis}.json").read_text())
        _check_trace_events(document["traceEvents"], events(real))


def _check_trace_events(records: list[dict[str, Any]], written_events: list[dict[str, Any]]) -> None:
    kinds = defaultdict(list)
    for record in records:
        kinds[record["ph"]].append(record)
        needed = ("pid",) if record["ph"] == "C" else ("pid", "tid")  # a counter belongs to its process
        assert all(isinstance(record[key], int) and record[key] >= 0 for key in needed)
        assert record["ph"] == "M" or (isinstance(record["ts"], int) and record["ts"] >= 0)
    assert set(kinds) == {"M", "X", "s", "f", "C"}
    processes = {one["pid"]: one["args"]["name"] for one in kinds["M"] if one["name"] == "process_name"}
    threads = {(one["pid"], one["tid"]): one["args"]["name"] for one in kinds["M"] if one["name"] == "thread_name"}
    slices = kinds["X"]
    assert [one["args"]["event_id"] for one in slices] == [event["event_id"] for event in written_events]
    ends: dict[tuple[int, int], int] = {}
    for one, event in zip(slices, written_events, strict=True):
        assert (processes[one["pid"]], one["cat"]) == (event["container_id"], event["event_type"])
        assert threads[one["pid"], one["tid"]] == (event["symbol"] or "the run")
        track = one["pid"], one["tid"]
        assert one["dur"] > 0
        assert one["ts"] >= ends.get(track, 0)  # slices of one thread may nest, but must not overlap
        ends[track] = one["ts"] + one["dur"]
    starts = {(one["pid"], one["tid"], one["ts"]): one["args"] for one in slices}
    begun = {one["id"]: one for one in kinds["s"]}
    assert len(begun) == len(kinds["s"]) == len(kinds["f"])
    for end in kinds["f"]:
        begin = begun[end["id"]]
        assert end["bp"] == "e"
        assert begin["ts"] < end["ts"]
        cause, effect = (starts[one["pid"], one["tid"], one["ts"]] for one in (begin, end))
        assert effect["causation_id"] == cause["event_id"]
    assert len(begun) == sum(event["causation_id"] is not None for event in written_events)
    counted = [one["args"]["value"] for one in kinds["C"] if one["name"] == "equity"]
    updates = [event for event in written_events if event["event_type"] == "PORTFOLIO_UPDATE"]
    assert counted == [event["payload"]["equity"] for event in updates]
    positions = [one["args"]["value"] for one in kinds["C"] if one["name"] == "position SPX"]
    bookings = [event for event in written_events if event["event_type"].startswith("POSITION_")]
    assert positions == [event["payload"]["quantity"] for event in bookings]


def _spans(directory: Path) -> list[tuple[str, Span]]:
    """Read by opentelemetry-proto; OTLP's own exception from the protobuf mapping is that ids are hex, not base64."""
    spans = []
    for file in sorted(directory.iterdir()):
        for line in file.read_text().splitlines():
            text = re.sub(
                r'"(traceId|spanId|parentSpanId)":"([0-9a-f]+)"',
                lambda match: f'"{match[1]}":"{base64.b64encode(bytes.fromhex(match[2])).decode()}"',
                line,
            )
            for resource in json_format.Parse(text, TracesData()).resource_spans:
                names = {one.key: one.value.string_value for one in resource.resource.attributes}
                for scope in resource.scope_spans:
                    spans += [(names["service.name"], span) for span in scope.spans]
    return spans


def test_opentelemetry_reads_flows_as_traces_and_causes_as_parents(real: Path, tmp_path: Path) -> None:
    export(real, "otlp", tmp_path / "spans")
    every = {event["event_id"]: event for event in events(real)}
    flowing = {name: event for name, event in every.items() if event["correlation_id"] is not None}
    by_id: dict[str, Span] = {}
    for container, span in _spans(tmp_path / "spans"):
        said = {one.key: one.value for one in span.attributes}
        event = every[said["admf.event_id"].string_value]
        assert container == event["container_id"]
        assert (len(span.trace_id), len(span.span_id)) == (16, 8)
        assert said["admf.sequence"].int_value == event["sequence"]
        by_id[event["event_id"]] = span
    assert set(flowing) <= set(by_id)
    assert len({span.span_id for span in by_id.values()}) == len(by_id)
    numbers = {span.span_id: span for span in by_id.values()}
    traces_of = {event["correlation_id"]: by_id[name].trace_id for name, event in flowing.items()}
    assert len(set(traces_of.values())) == len(traces_of)
    for name, event in flowing.items():
        span, cause = by_id[name], every.get(event["causation_id"])
        assert span.trace_id == traces_of[event["correlation_id"]]
        assert span.start_time_unix_nano % 1000 == 0
        assert span.end_time_unix_nano >= span.start_time_unix_nano
        if span.parent_span_id:
            assert numbers[span.parent_span_id].trace_id == span.trace_id
        if cause is not None and cause["correlation_id"] == event["correlation_id"]:
            assert span.parent_span_id == by_id[cause["event_id"]].span_id
        elif cause is not None and cause["event_type"] not in ("BAR", "FEATURE"):
            assert span.links[0].span_id == by_id[cause["event_id"]].span_id
        assert (span.status.code == Status.STATUS_CODE_ERROR) == (event["event_type"] in ("REJECT", "ERROR"))
        if event["event_type"] == "ORDER":
            done = [
                one["timestamp"]
                for one in every.values()
                if one["event_type"] in ("FILL", "CANCEL", "EXPIRE", "REJECT")
                and one["payload"].get("order_id") == name
            ]
            lasted = span.end_time_unix_nano - span.start_time_unix_nano
            assert bool(lasted) == bool(done and done[-1] > event["timestamp"])


def test_spans_are_the_same_bytes_each_time_and_files_stay_small(real: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        export(real, "otlp", tmp_path / name)
    assert [one.read_bytes() for one in sorted((tmp_path / "a").iterdir())] == [
        one.read_bytes() for one in sorted((tmp_path / "b").iterdir())
    ]
    done = export_otlp(Request(discover_some(real).phases, tmp_path / "c"), max_file_bytes=50_000)
    assert len(done.files) > 3
    assert all(path.stat().st_size <= 50_000 for path in done.files)
    whole = {span.SerializeToString() for _, span in _spans(tmp_path / "a")}
    assert {span.SerializeToString() for _, span in _spans(tmp_path / "c")} == whole


def test_polars_and_duckdb_read_parquet_with_one_schema_for_every_run(real: Path, tmp_path: Path) -> None:
    export(real, "parquet", tmp_path / "real")
    export(written(tmp_path / "other"), "parquet", tmp_path / "made")
    every = events(real)
    for name, table in TABLES.items():
        frames = [pl.read_parquet(tmp_path / run / f"{name}.parquet") for run in ("real", "made")]
        assert frames[0].schema == frames[1].schema
        if table.each == "payload":
            wanted = [one for one in every if not table.types or one["event_type"] in table.types]
            assert frames[0].height == len(wanted)
        query = f"SELECT count(*) FROM read_parquet('{tmp_path}/*/{name}.parquet')"
        assert duckdb.sql(query).fetchall() == [(frames[0].height + frames[1].height,)]
    fills = pl.read_parquet(tmp_path / "real" / "fills.parquet")
    payloads = [one["payload"] for one in every if one["event_type"] == "FILL"]
    for column in ("price", "quantity", "commission", "order_id", "trigger"):
        assert fills[column].to_list() == [payload[column] for payload in payloads]
    features = pl.read_parquet(tmp_path / "real" / "features.parquet")
    assert features.height == sum(len(one["payload"]) for one in every if one["event_type"] == "FEATURE")
    assert pl.read_parquet(tmp_path / "real" / "runs.parquet")["status"].to_list() == ["complete"]


def test_tables_too_long_for_the_memory_are_written_in_parts_and_come_out_the_same(
    real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(real, "parquet", tmp_path / "whole")
    monkeypatch.setattr("admf_cli.traces.tables.frames._CELLS_AT_ONCE", 100)  # a frame a block of lines
    export(real, "parquet", tmp_path / "parts")
    files = [sorted(path.name for path in (tmp_path / name).iterdir()) for name in ("whole", "parts")]
    assert files[0] == files[1]
    for name in files[0]:
        assert pl.read_parquet(tmp_path / "whole" / name).equals(pl.read_parquet(tmp_path / "parts" / name)), name


def test_what_is_no_number_is_null_and_a_position_closed_without_a_trade_gives_no_row(tmp_path: Path) -> None:
    run = crossover_run([100.0 + (bar % 10) for bar in range(40)], {2: 1, 8: 0, 12: 1, 18: 0, 22: 1, 28: 0})
    trades = [one["payload"] for one in run.events["portfolio_trend_base"] if one["event_type"] == "POSITION_CLOSE"]
    trades[0]["trades"][0].update({"number": 1.5, "quantity": 10, "pnl": True})
    trades[1]["trades"][0].update({"number": 1 << 63, "quantity": "ten", "direction": 1})
    export(run.write(tmp_path / "all" / "p"), "parquet", tmp_path / "a")
    table = pl.read_parquet(tmp_path / "a" / "trades.parquet")
    assert table["number"].to_list() == [None, None, 3]
    assert table["quantity"].to_list() == [10.0, None, 10.0]
    assert table["direction"].to_list() == ["long", None, "long"]
    assert table["pnl"][0] is None
    for payload in trades:
        del payload["trades"]
    export(run.write(tmp_path / "none" / "p"), "parquet", tmp_path / "b")
    assert pl.read_parquet(tmp_path / "b" / "trades.parquet").is_empty()
    assert pl.read_parquet(tmp_path / "b" / "positions.parquet").height == 6


def test_filters_narrow_what_is_exported(real: Path, tmp_path: Path) -> None:
    options = ("--from", "2001-01-01", "--until", "2001-12-31", "--container", "data")
    export(real, "parquet", tmp_path / "p", *options)
    export(real, "perfetto", tmp_path / "t.json", *options)
    bars = pl.read_parquet(tmp_path / "p" / "bars.parquet")
    assert bars["time"].dt.year().unique().to_list() == [2001]
    assert pl.read_parquet(tmp_path / "p" / "fills.parquet").is_empty()
    records = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    assert sum(record["ph"] == "X" for record in records) == bars.height


def test_csv_is_read_by_polars_and_holds_no_formula_and_no_escape(tmp_path: Path) -> None:
    export(hostile(tmp_path), "csv", tmp_path / "csv")
    for file in (tmp_path / "csv").iterdir():
        text = file.read_text()
        assert not any(character in text for character in "\x1b\u202e")
        with file.open(newline="") as lines:
            rows = [*csv.reader(lines)]
        assert len({len(row) for row in rows}) == 1
        for cell in (cell for row in rows for cell in row):
            assert not cell.startswith(("=", "+", "@", "\t")), cell
            if cell.startswith("-"):
                float(cell)
        assert pl.read_csv(file, infer_schema_length=None).height == len(rows) - 1
    bars = pl.read_csv(tmp_path / "csv" / "bars.csv", try_parse_dates=True)
    assert bars["time"][0].isoformat().startswith("2008-01-01T00:00:00")


def test_mermaid_draws_the_graph_that_explain_tells(real: Path, tmp_path: Path) -> None:
    export(real, "mermaid", tmp_path / "trade.mmd", "--event", "trade:3")
    told = json.loads(traces("explain", real, "trade:3", "--json").stdout)
    wanted: set[tuple[str, str]] = set()

    def gather(node: dict[str, Any]) -> None:
        for effect in node["effects"]:
            wanted.add((_id_of(node), _id_of(effect)))
            gather(effect)

    for flow in told["flows"]:
        gather(flow["root"])
    names, edges = _graph(tmp_path / "trade.mmd")
    assert {(names[one], names[other]) for one, other in edges} == wanted
    assert "note: the graph is of the last fill" in export(real, "mermaid", tmp_path / "last.mmd")


def test_a_graph_that_a_renderer_would_refuse_is_cut_and_says_so(
    real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "more than fits" not in export(real, "mermaid", tmp_path / "whole.mmd", "--event", "trade:3")
    monkeypatch.setattr("admf_cli.traces.export.mermaid._MAX_TEXT", 500)
    told = export(real, "mermaid", tmp_path / "cut.mmd", "--event", "trade:3")
    assert "note: there is more than fits into one graph" in told
    whole, cut = (_graph(tmp_path / f"{name}.mmd") for name in ("whole", "cut"))
    assert 0 < len(cut[0]) < len(whole[0])
    assert set(cut[0].values()) < set(whole[0].values())


def _id_of(node: dict[str, Any]) -> str:
    return str(node["event"]["event_id"] if "event" in node else node["event_id"])


def _graph(path: Path) -> tuple[dict[str, str], set[tuple[str, str]]]:
    """Read a flowchart by Mermaid's grammar, as far as we use it; every line must fit."""
    names: dict[str, str] = {}
    edges: set[tuple[str, str]] = set()
    head, *lines = path.read_text().splitlines()
    assert head == "flowchart TD"
    for line in lines:
        node = re.fullmatch(r'    (n\d+)\["([^"]+)"\](:::[A-Za-z_]+)?', line)
        edge = re.fullmatch(r"    (n\d+) --> (n\d+)", line)
        if node:
            label = node[2].replace("<br/>", "\n")
            assert not re.search(r'["<>`&\\]|#(?!(quot|lt|gt|35|amp|96|92);)', label), label
            names[node[1]] = label.splitlines()[-1].replace("#35;", "#")
        elif edge:
            assert {edge[1], edge[2]} <= set(names)
            edges.add((edge[1], edge[2]))
        else:
            assert re.fullmatch(r"    (classDef \w+ [\w:#,-]+|class n\d+ asked)", line), line
    return names, edges


@pytest.mark.parametrize("target", ["perfetto", "otlp", "mermaid"])
def test_hostile_traces_are_exported_as_data(tmp_path: Path, target: str) -> None:
    phase = hostile(tmp_path)
    options = ("--event", "strategy_trend#4") if target == "mermaid" else ()
    export(phase, target, tmp_path / "out", *options)
    files = [tmp_path / "out"] if (tmp_path / "out").is_file() else [*(tmp_path / "out").iterdir()]
    for file in files:
        text = file.read_text()
        assert not any(character in text for character in "\x1b\u202e\x9b")
    if target == "perfetto":
        json.loads(files[0].read_text())
    elif target == "otlp":
        assert any(span.status.message == NASTY for _, span in _spans(tmp_path / "out"))
    else:
        _graph(files[0])


def test_nothing_is_overwritten_or_written_into_a_trace(tmp_path: Path) -> None:
    phase = written(tmp_path)
    before = sorted(path.name for path in phase.iterdir())
    for target in ("perfetto", "otlp", "parquet", "csv", "mermaid"):
        inside = traces("export", phase, "--to", target, "--output", phase / "out")
        assert (inside.exit_code, "only read" in inside.stderr) == (2, True)
        export(phase, target, tmp_path / target)
        again = traces("export", phase, "--to", target, "--output", tmp_path / target)
        assert (again.exit_code, "--output" in again.stderr) == (5, True)
    assert sorted(path.name for path in phase.iterdir()) == before
    failed = traces("export", phase, "--to", "mermaid", "--output", tmp_path / "m", "--event", "trade:99")
    assert failed.exit_code == 2
    assert not (tmp_path / "m").exists()


def test_several_phases_keep_their_tracks_and_traces_apart(tmp_path: Path) -> None:
    for phase in ("train", "test"):
        _two_bars().write(tmp_path / "wf" / phase)
    export(tmp_path / "wf", "perfetto", tmp_path / "t.json")
    records = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    names = [one["args"]["name"] for one in records if one["ph"] == "M" and one["name"] == "process_name"]
    assert len(names) == len(set(names)) == 10
    export(tmp_path / "wf", "otlp", tmp_path / "spans")
    ids = [span.span_id for _, span in _spans(tmp_path / "spans")]
    assert len(ids) == len(set(ids)) > 0


def _two_bars() -> Run:
    return crossover_run([100.0, 101.0, 102.0], {1: 1})


def test_a_graph_is_printed_for_a_pipe_and_nothing_else_is(real: Path, tmp_path: Path) -> None:
    export(real, "mermaid", tmp_path / "graph.mmd")
    printed = traces("export", real, "--to", "mermaid", "--output", "-")
    assert printed.exit_code == 0
    assert printed.stdout == (tmp_path / "graph.mmd").read_text()
    refused = traces("export", real, "--to", "perfetto", "--output", "-")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "name a new file" in refused.stderr
    assert not Path("-").exists()
