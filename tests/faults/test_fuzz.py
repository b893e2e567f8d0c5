"""A fixed number of the cases of `make fuzz`."""

from __future__ import annotations

from pathlib import Path

from tests.faults.fuzz import fuzz_config, fuzz_trace, mutated, sound_trace


def test_changed_configurations_are_loaded_or_refused(tmp_path: Path) -> None:
    for seed in range(150):
        fuzz_config(seed, tmp_path)


def test_changed_traces_are_answered_or_refused(tmp_path: Path) -> None:
    sound = sound_trace(tmp_path / "sound")
    for seed in range(60):
        fuzz_trace(seed, tmp_path, sound)


def test_a_case_is_its_seed_and_changes_something() -> None:
    import random

    data = bytes(range(256))
    cases = [mutated(data, random.Random(seed)) for seed in range(50)]
    assert cases == [mutated(data, random.Random(seed)) for seed in range(50)]
    assert sum(case != data for case in cases) > 40
