"""How ADMF's cost grows: with bars, events, symbols, portfolios and resting orders, each alone.

    python benchmarks/scaling.py [--quick] [--only bars symbols]

For each curve: CPU seconds and peak memory of whole processes, the smallest of several runs; the cost of one more unit;
and the exponent b of `cost ~ size ** b`, fitted on what is above the cost of starting. Linear is 1, nothing is 0. Also
the floor: reading the data's bytes, and writing the trace's bytes from memory. Writes benchmarks/out/scaling.json, .md.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from process import Cost, run_process

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "benchmarks" / "out"
STRATEGIES = ROOT / "benchmarks" / "strategies.py"
MINUTE_BARS = 100_000
CHUNK = 1 << 20


@dataclass(frozen=True)
class Point:
    """One size of one curve: the least of its runs, and the events of trading that its traces hold."""

    size: int
    cpu_s: float
    wall_s: float
    peak_mib: float
    events: int


def bars_file(rows: int, seed: int = 1) -> Path:
    """Return a CSV file of so many bars, made once."""
    path = OUT / (f"bars_{rows}.csv" if seed == 1 else f"bars_{rows}_{seed}.csv")
    if not path.exists():
        with tempfile.TemporaryDirectory() as folder:
            generate = str(ROOT / "benchmarks" / "generate.py")
            run_process([sys.executable, generate, str(rows), str(path), "--seed", str(seed)], Path(folder))
    return path


def config(**sections: Any) -> dict[str, Any]:
    """Return the benchmarks' job as a configuration, with sections replaced."""
    if "data" not in sections:
        sections["data"] = data(bars_file(MINUTE_BARS), ["X"])
    return {
        "name": "scaling",
        "strategies": [crossover("cross")],
        "risk_profiles": [{"name": "base", "sizing": {"type": "fixed", "quantity": 100}}],
        "portfolio": {"initial_capital": 1e9},
        "execution": {"commission": {"type": "percent", "rate": 0.001}, "trace_settings": {"max_events": 10_000}},
        "results": {"write": False},
        **sections,
    }


def crossover(name: str, fast: int = 10, slow: int = 30) -> dict[str, Any]:
    return {"name": name, "type": "sma_crossover", "params": {"fast": fast, "slow": slow, "direction": "long_flat"}}


def data(path: Path, symbols: list[str]) -> dict[str, Any]:
    """Return a data section: one file, or one a symbol where the path holds `{symbol}`."""
    return {"source": "csv", "path": str(path), "symbols": symbols, "timeframe": "1m"}


def by_bars(sizes: list[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    for size in sizes:
        yield size, config(data=data(bars_file(size), ["X"]))


def by_trades(sizes: list[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield runs over the same bars that trade more or less often; the size is the period of the slow average."""
    for size in sizes:
        everything = {"trace_settings": {"max_events": None}, "commission": {"type": "percent", "rate": 0.001}}
        yield size, config(strategies=[crossover("cross", max(size // 3, 2), size)], execution=everything)


def by_symbols(sizes: list[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    for size in sizes:
        paths = {f"S{number:02d}": str(bars_file(MINUTE_BARS, seed=number + 2)) for number in range(size)}
        section = {"source": "csv", "path": paths, "symbols": list(paths), "timeframe": "1m"}
        yield size, config(data=section)


def by_portfolios(sizes: list[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield runs of up to ten strategies, then of these with more risk profiles each."""
    for size in sizes:
        strategies = [crossover(f"s{number}", 10 + number, 30 + 3 * number) for number in range(min(size, 10))]
        profiles = [{"name": f"p{number}", "sizing": {"type": "fixed", "quantity": 10 + number}} for number in range(5)]
        yield size, config(strategies=strategies, risk_profiles=profiles[: max(size // 10, 1)])


def by_idle_portfolios(sizes: list[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield runs with portfolios that buy at the first bar and then only hold."""
    for size in sizes:
        profiles = [
            {"name": f"p{number:02d}", "sizing": {"type": "fixed", "quantity": 10 + number}} for number in range(size)
        ]
        yield size, config(strategies=[{"name": "hold", "type": "buy_and_hold"}], risk_profiles=profiles)


def by_resting_orders(sizes: list[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    for size in sizes:
        yield size, config(strategies=[placing("Resting", size)])


def by_resting_brackets(sizes: list[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    for size in sizes:
        yield size, config(strategies=[placing("Brackets", size)])


def placing(name: str, count: int) -> dict[str, Any]:
    return {"name": "rest", "type": "python", "path": f"{STRATEGIES}:{name}", "params": {"count": count}}


@dataclass(frozen=True)
class Curve:
    """A family of runs of growing size."""

    name: str
    unit: str
    runs: Callable[[list[int]], Iterator[tuple[int, dict[str, Any]]]]
    sizes: list[int]
    quick: list[int]


CURVES = [
    Curve(
        "bars", "bar", by_bars, [10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000], [10_000, 100_000]
    ),
    Curve("events of trading, everything on disk", "event", by_trades, [300, 100, 30, 10], [100, 10]),
    Curve(f"symbols of {MINUTE_BARS:,} bars", "symbol", by_symbols, [1, 5, 20, 50], [1, 5]),
    Curve("portfolios that trade", "portfolio", by_portfolios, [1, 2, 5, 10, 20, 50], [1, 5]),
    Curve("portfolios that hold", "portfolio", by_idle_portfolios, [1, 10, 50], [1, 5]),
    Curve("resting limit orders", "order", by_resting_orders, [100, 1_000, 10_000, 40_000], [100, 1_000]),
    Curve("resting brackets of two orders", "bracket", by_resting_brackets, [100, 1_000, 5_000, 20_000], [100, 1_000]),
]
_ONCE_FROM = 3_000_000  # so large a size is run once


def measure(settings: dict[str, Any], repeat: int) -> tuple[Cost, int, int]:
    """Return the least a run cost, the events of trading that its traces hold, and the bytes of all."""
    costs = []
    events = size = 0
    for _ in range(repeat):
        with tempfile.TemporaryDirectory(prefix="admf-scaling-") as folder:
            work = Path(folder)
            path = work / "config.yaml"
            path.write_text(json.dumps(settings))  # YAML takes JSON
            command = [sys.executable, "-m", "admf_cli", "run", str(path), "-q", "--trace-dir", str(work / "traces")]
            costs.append(run_process(command, work)[0])
            totals = [json.loads(meta.read_text()) for meta in work.glob("traces/*/*/*.meta.json")]
            dense = ("data", "features")
            events = sum(total["total"]["written"] for total in totals if total["container_type"] not in dense)
            size = sum(total["file"]["bytes"] for total in totals)
    least = min(costs, key=lambda cost: cost.cpu_s)
    return Cost(min(cost.wall_s for cost in costs), least.cpu_s, least.peak_mib), events, size


def exponent(points: list[Point], start_s: float) -> float:
    """Return the least-squares slope of log(CPU above `start_s`) over log(size)."""
    pairs = [(math.log(point.size), math.log(point.cpu_s - start_s)) for point in points if point.cpu_s > start_s]
    if len(pairs) < 2:
        return math.nan
    mean_x = sum(x for x, _ in pairs) / len(pairs)
    mean_y = sum(y for _, y in pairs) / len(pairs)
    return sum((x - mean_x) * (y - mean_y) for x, y in pairs) / sum((x - mean_x) ** 2 for x, _ in pairs)


def trace_curve(curve: Curve, sizes: list[int], repeat: int) -> list[Point]:
    points = []
    for size, settings in curve.runs(sizes):
        cost, events, _ = measure(settings, 1 if size >= _ONCE_FROM else repeat)
        measured = events if curve.unit == "event" else size
        points.append(Point(measured, cost.cpu_s, cost.wall_s, cost.peak_mib, events))
        print(f"  {curve.name}: {measured:,}: {cost.cpu_s:.2f} s of CPU, {cost.peak_mib:.0f} MiB", file=sys.stderr)
    return points


def floor(rows: int, repeat: int) -> dict[str, float]:
    """Return what no run can undercut: reading the file's bytes and writing those of a full trace from memory.

    The least of several runs, CPU and wall each for itself.
    """
    everything = {"trace_settings": {"max_events": None}, "commission": {"type": "percent", "rate": 0.001}}
    settings = config(data=data(bars_file(rows), ["X"]), execution=everything)
    traced, _, size = measure(settings, repeat)
    settings["execution"] = {**everything, "enable_event_tracing": False}
    untraced, _, _ = measure(settings, repeat)
    reads = [timed(lambda: bars_file(rows).read_bytes()) for _ in range(repeat)]
    writes = [timed(lambda: write_bytes(size)) for _ in range(repeat)]
    return {
        "bars": rows,
        "data_bytes": bars_file(rows).stat().st_size,
        "trace_bytes": size,
        "read_cpu_s": min(cpu for cpu, _ in reads),
        "write_cpu_s": min(cpu for cpu, _ in writes),
        "write_wall_s": min(wall for _, wall in writes),
        "untraced_cpu_s": untraced.cpu_s,
        "untraced_wall_s": untraced.wall_s,
        "everything_cpu_s": traced.cpu_s,
        "everything_wall_s": traced.wall_s,
    }


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """Return the CPU and the wall seconds that a call takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return time.process_time() - cpu, time.perf_counter() - wall


def write_bytes(size: int) -> None:
    """Write so many bytes from memory into a new file, a mebibyte at a time."""
    block = os.urandom(CHUNK)
    with tempfile.TemporaryFile(dir=OUT) as file:
        for _ in range(size // CHUNK):
            os.write(file.fileno(), block)


def markdown(curves: dict[str, Any], start: Cost, ground: dict[str, float]) -> str:
    lines = [f"Starting, on 250 bars: {start.cpu_s:.2f} s of CPU, {start.peak_mib:.0f} MiB.", ""]
    lines += ["| curve | sizes | CPU s | peak MiB | exponent | one more |", "|---|---|---|---|--:|--:|"]
    for name, curve in curves.items():
        points = curve["points"]
        sizes = ", ".join(f"{point['size']:,}" for point in points)
        seconds = ", ".join(f"{point['cpu_s']:.2f}" for point in points)
        memory = ", ".join(f"{point['peak_mib']:.0f}" for point in points)
        one_more = f"{curve['marginal_us']:,.2f} µs per {curve['unit']}"
        lines.append(f"| {name} | {sizes} | {seconds} | {memory} | {curve['exponent']:.2f} | {one_more} |")
    lines += [
        "",
        "The floor, and ours, at {bars:,} bars, CPU s (wall s): reading {data_bytes:,} bytes {read_cpu_s:.2f};"
        " writing {trace_bytes:,} bytes from memory {write_cpu_s:.2f} ({write_wall_s:.2f}); untraced"
        " {untraced_cpu_s:.2f} ({untraced_wall_s:.2f}); everything on disk {everything_cpu_s:.2f}"
        " ({everything_wall_s:.2f}),".format(**ground),
        f"which is {over_floor(ground, 'cpu'):.2f} ({over_floor(ground, 'wall'):.2f}) times untraced plus writing.",
    ]
    return "\n".join(lines) + "\n"


def over_floor(ground: dict[str, float], kind: str) -> float:
    """Return the time with everything on disk over the untraced time plus that of writing the same bytes."""
    return ground[f"everything_{kind}_s"] / (ground[f"untraced_{kind}_s"] + ground[f"write_{kind}_s"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two sizes a curve")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], help="names of curves, by their beginning")
    arguments = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    start, _, _ = measure(config(data=data(bars_file(250), ["X"])), arguments.repeat)
    found: dict[str, Any] = {}
    for curve in CURVES:
        if arguments.only and not any(curve.name.startswith(name) for name in arguments.only):
            continue
        sizes = curve.quick if arguments.quick else curve.sizes
        points = trace_curve(curve, sizes, arguments.repeat)
        grown = points[-1].size - points[0].size
        found[curve.name] = {
            "unit": curve.unit,
            "points": [asdict(point) for point in points],
            "exponent": exponent(points, start.cpu_s),
            "marginal_us": (points[-1].cpu_s - points[0].cpu_s) / grown * 1e6,
        }
    ground = floor(MINUTE_BARS if arguments.quick else 1_000_000, arguments.repeat)
    (OUT / "scaling.json").write_text(json.dumps({"start": asdict(start), "curves": found, "floor": ground}, indent=2))
    table = markdown(found, start, ground)
    (OUT / "scaling.md").write_text(table)
    print(table)


if __name__ == "__main__":
    main()
