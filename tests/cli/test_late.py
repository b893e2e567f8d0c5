"""What is put off at the start comes when it is asked for, and is then what it would have been."""

from __future__ import annotations

import copy
import pickle
import re
import sys

import pytest
import yaml

from admf_cli.config.yaml_text import parse_yaml
from admf_cli.errors import ConfigError
from admf_cli.late import late_patterns, put_off_plugins

LOADER = "pydantic.plugin._loader"


def test_a_late_pattern_is_compiled_when_it_is_used() -> None:
    with late_patterns():
        pattern = re.compile("a+", flags=re.IGNORECASE)
    assert not isinstance(pattern, re.Pattern)
    assert pattern.fullmatch("aA") is not None
    assert pattern.fullmatch("b") is None
    assert pattern.groups == 0
    now = re.compile("a+", re.IGNORECASE)
    assert isinstance(now, re.Pattern)
    assert copy.deepcopy(pattern) == pickle.loads(pickle.dumps(pattern)) == now


def test_patterns_are_compiled_at_once_after_an_import_that_failed() -> None:
    with pytest.raises(ImportError), late_patterns():
        raise ImportError
    assert isinstance(re.compile("a"), re.Pattern)


@pytest.mark.parametrize("code", [*range(0x20), 0x7F, 0x85, 0x9F, 0xA0, 0xD7FF, 0xE000, 0xFFFE, 0x10FFFF])
def test_the_characters_of_a_configuration_are_those_of_yaml(code: int) -> None:
    text = f"a: b{chr(code)}c"
    if yaml.reader.Reader.NON_PRINTABLE.search(text):
        with pytest.raises(ConfigError, match="control characters"):
            parse_yaml(text, "config.yaml")
    else:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("admf_cli.config.yaml_text._unprintable_fault", lambda *_: pytest.fail("refused"))
            try:
                parse_yaml(text, "config.yaml")
            except ConfigError:
                assert chr(code) in "\t\n\r\x85"


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
