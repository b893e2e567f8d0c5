"""What is put off at the start comes when it is asked for, and is then what it would have been."""

from __future__ import annotations

import sys

import pytest

from admf_cli.late import put_off_plugins

LOADER = "pydantic.plugin._loader"


def test_plugins_are_searched_for_where_they_are_not_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, LOADER, raising=False)
    put_off_plugins()
    late = sys.modules[LOADER]
    monkeypatch.setenv("PYDANTIC_DISABLE_PLUGINS", "__all__")
    assert list(late.get_plugins()) == []
    assert sys.modules[LOADER] is late
    monkeypatch.delenv("PYDANTIC_DISABLE_PLUGINS")
    found = list(late.get_plugins())
    loader = sys.modules[LOADER]
    assert loader is not late
    assert found == list(loader.get_plugins())
    put_off_plugins()
    assert sys.modules[LOADER] is loader
