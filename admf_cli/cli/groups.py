"""How a group lists its commands: each with the whole of its first sentence, in plain text.

Rich's boxes would cost `--help` and every mistyped option 0.2 s, and the plain listing cuts sentences short. Refuses to
know the commands.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class CommandGroup(TyperGroup):
    """A group whose listing wraps what its commands say of themselves instead of cutting it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for command in self.commands.values():
            if command.short_help is None and command.help:
                command.short_help = " ".join(command.help.partition("\n\n")[0].split())
