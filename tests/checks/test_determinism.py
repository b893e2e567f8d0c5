"""`admf check determinism` sees what depends on the hash seed, on chance or on the clock, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from admf_cli.checks.determinism import check_determinism
from tests.cli.test_run_command import admf

CONFIG = """
data: {source: synthetic, symbols: [X], synthetic: {bars: 100}}
strategies: [{name: s, type: python, path: my.py:S}]
risk_profiles: [{name: r, sizing: {type: fixed, quantity: 1}}]
"""
BODIES = {
    "the order of a set": "ctx.bar < 3 and ctx.buy(1, tag=sorted({'a', 'b', 'c', 'd', 'e', 'f'}, key=hash)[0])",
    "chance": "random.random() < 0.5 and ctx.buy(1)",
    "the clock": "ctx.bar == 5 and ctx.buy(1, tag=str(time.perf_counter_ns()))",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_what_differs_between_two_runs_is_shown(body: str, tmp_path: Path) -> None:
    (tmp_path / "my.py").write_text(f"import random, time\nclass S:\n    def on_bar(self, ctx): {body}\n")
    (tmp_path / "c.yaml").write_text(CONFIG)
    run = admf(tmp_path, "check", "determinism", "c.yaml")
    assert run.returncode == 1, run.stderr
    assert "NOT DETERMINISTIC" in run.stdout
    assert "backtest/strategy_s_r, line" in run.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.yaml", "data", "my.py"]


def test_a_seeded_strategy_passes_from_standard_input_too(tmp_path: Path) -> None:
    source = "import random\nclass S:\n    def __init__(self): self.r = random.Random(1)\n"
    (tmp_path / "my.py").write_text(source + "    def on_bar(self, ctx): self.r.random() < 0.1 and ctx.buy(1)\n")
    run = admf(tmp_path, "check", "determinism", "-", "--json", stdin=CONFIG)
    assert run.returncode == 0, run.stderr
    document = json.loads(run.stdout)
    assert (document["ok"], document["files"], document["difference"]) == (True, 5, None)
    assert document["events"] > 100


def test_a_run_that_breaks_off_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "my.py").write_text("class S:\n    def on_bar(self, ctx): 1 / 0\n")
    (tmp_path / "c.yaml").write_text(CONFIG)
    run = admf(tmp_path, "check", "determinism", "c.yaml")
    assert run.returncode == 4
    assert "ZeroDivisionError" in run.stderr


def test_of_several_differences_the_earliest_is_shown(tmp_path: Path) -> None:
    source = "import random\nclass S:\n    def __init__(self, bar): self.bar = bar\n"
    source += "    def on_bar(self, ctx): ctx.bar == self.bar and ctx.buy(1, tag=str(random.random()))\n"
    (tmp_path / "my.py").write_text(source)
    both = [
        f"{{name: {name}, type: python, path: my.py:S, params: {{bar: {bar}}}}}" for name, bar in (("a", 5), ("b", 9))
    ]
    config = CONFIG.replace("[{name: s, type: python, path: my.py:S}]", f"[{', '.join(both)}]")
    (tmp_path / "c.yaml").write_text(config)
    found = check_determinism(str(tmp_path / "c.yaml"), ()).difference
    assert found is not None
    assert found.container == "strategy_a_r"
