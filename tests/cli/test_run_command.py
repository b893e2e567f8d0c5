"""`admf run` as users and CI call it: results, gates, ids, interruptions, and what the traces on disk then prove."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(path for path in (ROOT / "configs").glob("*.yaml"))
EXAMPLE = ROOT / "configs" / "backtest_with_tracing.yaml"


def admf(
    folder: Path, *arguments: str, stdin: str | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command in `folder`, whose `data` is the project's."""
    if not (folder / "data").exists():
        (folder / "data").symlink_to(ROOT / "data")
    return subprocess.run(
        [sys.executable, "-m", "admf_cli", *arguments],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
    )


def events_of(folder: Path, workflow_id: str) -> list[dict[str, Any]]:
    """Return every event of a run in the order of `sequence`."""
    lines = [
        line for path in (folder / "traces" / workflow_id).rglob("*.jsonl") for line in path.read_text().splitlines()
    ]
    return sorted((json.loads(line) for line in lines), key=lambda event: event["sequence"])


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], list[dict[str, Any]]]:
    """Return folder, JSON document and events of one run of the main example."""
    folder = tmp_path_factory.mktemp("example")
    run = admf(folder, "run", str(EXAMPLE), "--json", "--workflow-id", "wf")
    assert run.returncode == 0, run.stderr
    return folder, json.loads(run.stdout), events_of(folder, "wf")


@pytest.mark.parametrize("config", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_runs_and_its_trace_is_sound(config: Path, tmp_path: Path) -> None:
    run = admf(tmp_path, "run", str(config), "--workflow-id", "wf")
    assert run.returncode == 0, run.stderr
    assert "bars →" in run.stdout
    inspection = admf(tmp_path, "traces", "inspect", "traces/wf", "--json")
    assert inspection.returncode == 0, inspection.stdout
    json.loads(inspection.stdout)


def test_cash_and_positions_rebuilt_from_the_fills_give_the_equity_of_the_document(
    example: tuple[Path, dict[str, Any], list[dict[str, Any]]],
) -> None:
    _, document, events = example
    portfolio = document["phases"][0]["portfolios"][0]
    cash, held = portfolio["initial_capital"], 0.0
    for event in events:
        if event["event_type"] == "FILL":
            sign = 1 if event["payload"]["side"] == "buy" else -1
            cash -= sign * event["payload"]["quantity"] * event["payload"]["price"] + event["payload"]["commission"]
            held += sign * event["payload"]["quantity"]
    last_close = [event["payload"]["close"] for event in events if event["event_type"] == "BAR"][-1]
    assert round(cash + held * last_close, 2) == round(portfolio["equity"], 2)


def test_every_fill_walks_back_to_a_bar_and_every_order_and_signal_ends(
    example: tuple[Path, dict[str, Any], list[dict[str, Any]]],
) -> None:
    _, _, events = example
    by_id = {event["event_id"]: event for event in events}
    assert len(by_id) == len(events)
    sequences = [event["sequence"] for event in events]
    assert sequences == sorted(set(sequences))
    ends: dict[str, int] = {}
    answered = set()
    for event in events:
        cause = by_id.get(event["causation_id"])
        assert (event["causation_id"] is None) == (cause is None)
        if cause is not None:
            assert cause["sequence"] < event["sequence"]
            answered.add(cause["event_id"])
        if event["event_type"] == "FILL":
            chain = [event["event_type"]]
            while cause is not None:
                chain.append(cause["event_type"])
                cause = by_id.get(cause["causation_id"])
            assert chain[:2] == ["FILL", "ORDER"]
            assert "SIGNAL" in chain or "RISK_BREACH" in chain
            assert chain[-1] == "BAR"
            assert by_id[event["payload"]["bar"]]["timestamp"] == event["timestamp"]
        order = event["payload"].get("order_id")
        terminal = event["event_type"] in ("CANCEL", "EXPIRE", "REJECT") or event["payload"].get("remaining") == 0.0
        if order is not None and event["event_type"] != "ORDER" and terminal:
            ends[order] = ends.get(order, 0) + 1
    orders = [event["event_id"] for event in events if event["event_type"] == "ORDER"]
    assert orders
    assert ends == dict.fromkeys(orders, 1)
    assert all(event["event_id"] in answered for event in events if event["event_type"] == "SIGNAL")


def test_equal_runs_leave_identical_bytes_under_any_hash_seed(tmp_path: Path) -> None:
    trees = []
    for seed in ("0", "12345"):
        folder = tmp_path / seed
        folder.mkdir()
        run = admf(folder, "run", str(EXAMPLE), "-q", "--workflow-id", "wf", env={"PYTHONHASHSEED": seed})
        assert run.returncode == 0, run.stderr
        trees.append({path.name: path.read_bytes() for path in (folder / "traces").rglob("*") if path.is_file()})
    assert trees[0] == trees[1]
    assert len(trees[0]) == 10  # five containers, lines and meta each


@pytest.mark.parametrize(
    "arguments",
    [
        ("--no-trace",),
        ("--set", "execution.trace_settings.max_events=3"),
        ("--set", "execution.trace_settings.event_filters=[FILL]"),
        ("--set", "execution.trace_settings.container_settings={data: {enabled: false}}"),
        ("--set", "execution.trace_settings.persist_to_disk=false"),
        ("--set", "execution.trace_settings.trace_level=minimal"),
    ],
    ids=lambda arguments: arguments[-1],
)
def test_tracing_never_changes_a_result(
    arguments: Sequence[str], tmp_path: Path, example: tuple[Path, dict[str, Any], list[dict[str, Any]]]
) -> None:
    run = admf(tmp_path, "run", str(EXAMPLE), "-q", "--workflow-id", "wf", *arguments)
    assert run.returncode == 0, run.stderr
    for name in ("trades.csv", "equity.csv"):
        place = Path("results") / "wf" / "backtest" / "portfolio_trend_base" / name
        assert (tmp_path / place).read_bytes() == (example[0] / place).read_bytes()


def test_an_id_is_used_once_unless_overwriting_is_asked_for(tmp_path: Path) -> None:
    config = str(ROOT / "configs" / "synthetic.yaml")
    assert admf(tmp_path, "run", config, "-q", "--workflow-id", "wf").returncode == 0
    again = admf(tmp_path, "run", config, "-q", "--workflow-id", "wf")
    assert again.returncode == 2
    assert "--overwrite" in again.stderr
    stranger = tmp_path / "traces" / "wf" / "notes.txt"
    stranger.write_text("mine")
    assert admf(tmp_path, "run", config, "-q", "--workflow-id", "wf", "--overwrite").returncode == 0
    assert stranger.read_text() == "mine"


def test_gates_fail_the_run_with_one_line_each(tmp_path: Path) -> None:
    config = str(ROOT / "configs" / "synthetic.yaml")
    gates = ("--fail-if", "trades > 1", "--fail-if", "max_drawdown > 99%", "--no-trace")
    run = admf(tmp_path, "run", config, "--json", *gates)
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert "gate failed: trades > 1" in run.stderr
    assert [gate["passed"] for gate in json.loads(run.stdout)["gates"]] == [False, True]
    assert admf(tmp_path, "run", config, "--fail-if", "sharp_ratio < 1").returncode == 2


def test_a_config_from_stdin_with_overrides_and_one_document_on_stdout(tmp_path: Path) -> None:
    text = (ROOT / "configs" / "synthetic.yaml").read_text()
    bars = ("--set", "data.synthetic.bars=9", "--set", "data.synthetic.bars=50")
    run = admf(tmp_path, "run", "-", "--json", *bars, stdin=text)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["phases"][0]["bars"] == 50
    unknown = admf(tmp_path, "run", "-", "--set", "data.synthetic.bar=5", stdin=text)
    assert unknown.returncode == 2
    assert "did you mean bars?" in unknown.stderr


LONG = """
data: {source: synthetic, symbols: [A, B, C], timeframe: 1m, synthetic: {bars: 400000, volatility: 2.0}}
strategies: [{name: s, type: sma_crossover, params: {fast: 2, slow: 3, direction: long_short}}]
risk_profiles: [{name: r, sizing: {type: fixed, quantity: 1}}]
execution: {trace_settings: {max_events: null}}
"""


@pytest.mark.parametrize(
    ("number", "code", "status"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "interrupted"), (signal.SIGKILL, -9, "never sealed")],
    ids=["SIGINT", "SIGTERM", "SIGKILL"],
)
def test_a_stopped_run_leaves_a_trace_that_says_so(
    number: signal.Signals, code: int, status: str, tmp_path: Path
) -> None:
    (tmp_path / "long.yaml").write_text(LONG)
    process = subprocess.Popen(
        [sys.executable, "-m", "admf_cli", "run", "long.yaml", "--workflow-id", "wf", "-q"],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    lines = tmp_path / "traces" / "wf" / "backtest" / "execution.jsonl"
    while process.poll() is None and not (lines.exists() and lines.stat().st_size):
        pass
    process.send_signal(number)
    assert process.wait(timeout=60) == code
    inspection = admf(tmp_path, "traces", "inspect", "traces/wf", "--json")
    assert inspection.returncode in (0, 1)
    assert status.replace(" ", "_") in inspection.stdout.replace(" ", "_")
    assert not (tmp_path / "results" / "wf" / "summary.json").exists()
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", str(ROOT / "configs" / "synthetic.yaml"), "--no-trace"),
        ("run", str(ROOT / "configs" / "synthetic.yaml"), "--no-trace", "--json"),
        ("config", "schema"),
        ("features", "list"),
    ],
    ids=lambda arguments: " ".join(arguments[:1] + arguments[-1:]),
)
def test_a_reader_that_leaves_early_is_no_fault(arguments: Sequence[str], tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)  # nobody will read: the first write meets a closed pipe
    command = [sys.executable, "-m", "admf_cli", *arguments]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=tmp_path, stdout=write, stderr=subprocess.PIPE, env=env, timeout=60)
    os.close(write)
    assert (run.returncode, run.stderr) == (141, b"")
