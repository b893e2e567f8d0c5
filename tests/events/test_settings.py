"""A container's own trace settings: levels, filters by name or by exclusion, bounds; what is none of these is named."""

from __future__ import annotations

from typing import Any

import pytest

from admf_cli.errors import ConfigError
from admf_cli.events.settings import resolve_settings


def resolved(**settings: Any) -> Any:
    return resolve_settings(settings, container_id="portfolio_s_r", container_type="portfolio")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"trace_level": "verbose"}, "trace_level must be one of"),
        ({"max_events": 0}, "a whole number of at least 1, or null, not 0"),
        ({"max_events": True}, "not True"),
        ({"max_events": 1.5}, r"not 1\.5"),
        ({"max_events": "many"}, "not 'many'"),
        ({"event_filters": ["FIL"]}, "no such event type: FIL"),
        ({"event_filters": {"exclude": ["BARS"]}}, "no such event type: BARS"),
        ({"container_settings": {"portfolio": {"max_events": -1}}}, "not -1"),
    ],
)
def test_settings_that_are_none_are_named(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        resolved(**settings)


def test_the_level_none_and_enabled_false_trace_nothing() -> None:
    assert resolved(trace_level="none") is None
    assert resolved(container_settings={"portfolio": {"enabled": False}}) is None
    assert resolved(container_settings={"data": {"enabled": False}}) is not None


def test_the_level_debug_keeps_everything_unless_the_container_s_own_settings_bound_it() -> None:
    assert resolved(trace_level="debug", max_events=5).max_events is None
    own = {"portfolio": {"max_events": 7}}
    assert resolved(trace_level="debug", max_events=5, container_settings=own).max_events == 7
    assert resolved(max_events=5).max_events == 5


def test_filters_include_or_exclude_and_the_level_minimal_narrows_them() -> None:
    assert resolved(event_filters=["FILL", "ORDER"]).event_types == {"FILL", "ORDER"}
    excluded = resolved(event_filters={"exclude": ["FILL"]}).event_types
    assert "FILL" not in excluded
    assert "ORDER" in excluded
    assert resolved(event_filters={"include": ["FILL", "ORDER"], "exclude": ["ORDER"]}).event_types == {"FILL"}
    assert resolved(event_filters={"exclude": []}).event_types is None
    minimal = resolved(trace_level="minimal").event_types
    assert resolved(trace_level="minimal", event_filters=["FILL", "BAR"]).event_types == minimal & {"FILL", "BAR"}


def test_without_a_disk_there_is_no_directory() -> None:
    assert resolved(persist_to_disk=False).trace_dir is None
    assert str(resolved(trace_dir="here").trace_dir) == "here"
    assert str(resolved().trace_dir) == "traces"
