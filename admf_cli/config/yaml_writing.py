"""Plain data as YAML that this loader reads back to the same data. Refuses to know the schema."""

from __future__ import annotations

from typing import Any

import yaml

from admf_cli.config.scalars import ScalarError, resolve


def yaml_text_of(value: Any) -> str:
    """Return data as YAML; nothing in it can act on a terminal."""
    text = _dump(value, allow_unicode=True)
    # YAML takes marks that turn the direction of writing, or are not seen, for printable.
    return text if all(character.isprintable() or character == "\n" for character in text) else _dump(value)


def _dump(value: Any, *, allow_unicode: bool = False) -> str:
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=allow_unicode, width=100))


class _Dumper(yaml.SafeDumper):
    """Quotes whatever our rules would not read as text; PyYAML's own rules are those of YAML 1.1."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write every value out: anchors would say nothing to a reader."""
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    try:
        means_itself = resolve(text) == text
    except ScalarError:
        means_itself = False
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if means_itself else "'")


_Dumper.add_representer(str, _represent_text)
