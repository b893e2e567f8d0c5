"""How a group lists its commands: each with the whole of its first sentence, in plain text.

Rich's boxes would cost `--help` and every mistyped option 0.2 s, and the plain listing cuts sentences short. Refuses to
know the commands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Any

from typer.core import TyperGroup


class CommandGroup(TyperGroup):
    """A group whose listing wraps what its commands say of themselves instead of cutting it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for command in self.commands.values():
            _say_all(command)


class LateCommands(MutableMapping[str, Any]):
    """Commands by name, some of them made when they are first asked for: all of them take a tenth of a short run.

    Args:
        made: those that are there already; they come first.
        late: names of the others.
        make: name -> command.
    """

    def __init__(self, made: MutableMapping[str, Any], late: Sequence[str], make: Callable[[str], Any]) -> None:
        self._commands: dict[str, Any] = {**made, **dict.fromkeys(late)}
        self._make = make

    def __getitem__(self, name: str) -> Any:
        if self._commands[name] is None:
            self._commands[name] = command = self._make(name)
            _say_all(command)
        return self._commands[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._commands[name] = command

    def __delitem__(self, name: str) -> None:
        del self._commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._commands)

    def __len__(self) -> int:
        return len(self._commands)


def _say_all(command: Any) -> None:
    if command.short_help is None and command.help:
        command.short_help = " ".join(command.help.partition("\n\n")[0].split())
