"""Tables and lines on a terminal or in a pipe. Refuses to know what they are about.

Every piece of text goes through `printable` and reaches Rich as a `Text`, never as markup.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING

from msgspec import Struct

from admf_cli.traces.render.text import printable

if TYPE_CHECKING:
    from rich.console import Console

_GAP = 2  # between columns
_USUAL_WIDTH = 80  # on anything narrower every column may wrap
_HANGING = 6  # how much further the rest of a sentence is indented than its beginning
_LEAST_WORDS = 30  # letters a line; with less room the terminal breaks sentences where it likes
_UNBOUNDED = 10_000  # a pipe has no width


class Column(Struct, frozen=True):
    """One column of a table; numbers stand right, and only `wraps` columns are broken over lines if they must.

    Attributes:
        least: letters that a column which wraps should keep; None for any.
        yields: where a terminal is too narrow for that, the column with 1 is left out first, then 2; 0 never is.
    """

    name: str
    right: bool = False
    style: str = ""
    wraps: bool = False
    least: int | None = None
    yields: int = 0


class Screen:
    """Prints answers: with Rich, or as tab-separated lines when `plain`.

    Args:
        plain: no colours, no boxes, one row a line whatever its length, cells separated by tabs.
        file: where to; None for standard output.
    """

    def __init__(self, *, plain: bool = False, file: IO[str] | None = None) -> None:
        self.plain = plain
        self._file = file or sys.stdout
        self._console: Console | None = None
        if not plain:
            from rich.console import Console

            self._console = Console(file=file, markup=False, highlight=False, emoji=False)
            if not self._console.is_terminal and "COLUMNS" not in os.environ:
                self._console.width = _UNBOUNDED

    @property
    def width(self) -> int:
        """Letters that fit on a line; very many where nothing is shown on a terminal."""
        return _UNBOUNDED if self._console is None else self._console.width

    def line(self, text: str = "", style: str = "") -> None:
        """Print one sentence; on a terminal what does not fit goes on at a word, further in than it began."""
        text = printable(text)
        if self._console is None:
            self._file.write(text + "\n")
            return
        from rich.text import Text

        indent = len(text) - len(text.lstrip(" "))
        room = self._console.width - indent - _HANGING
        if not self._console.is_terminal or len(text) <= self._console.width or room < _LEAST_WORDS:
            self._console.print(Text(text, style=style), soft_wrap=True)
            return
        margin = 0
        for part in Text(text[indent:], style=style).wrap(self._console, room):
            part.rstrip()
            self._console.print(Text(" " * (indent + margin)) + part, soft_wrap=True)
            margin = _HANGING

    def heading(self, text: str) -> None:
        """Print a line that begins a section."""
        self.line(text, "bold")

    def row(self, cells: Iterable[str]) -> None:
        """Print cells separated by tabs."""
        self._file.write("\t".join(map(printable, cells)) + "\n")

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[str]], *, title: str | None = None) -> None:
        """Print rows of cells under their names."""
        if self._console is None:
            if title:
                self.line(f"# {title}")
            self.row([column.name for column in columns])
            for row in rows:
                self.row(row)
            return
        from rich.table import Table
        from rich.text import Text

        lines = [[printable(cell) for cell in row] for row in rows]
        shown = _fitting(columns, lines, self._console.width)
        if title:
            self.heading(title)  # Rich would fold its own at the table's width
        table = Table(box=None, padding=(0, _GAP, 0, 0), header_style="bold underline")
        for column in (columns[place] for place in shown):
            table.add_column(
                Text(column.name),
                justify="right" if column.right else "left",
                style=column.style,
                overflow="fold",
                no_wrap=not column.wraps and self._console.width >= _USUAL_WIDTH,
            )
        for line in lines:
            table.add_row(*(Text(line[place]) for place in shown))
        self._console.print(table)
        self._console.print()
        left_out = [column.name for place, column in enumerate(columns) if place not in shown]
        if left_out:
            self.line(f"too narrow for: {', '.join(left_out)}", "dim")


def _fitting(columns: Sequence[Column], lines: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return which columns are shown: all, or without those that yield first where the others need their room."""
    widths = [max(len(column.name), *(len(line[place]) for line in lines), 0) for place, column in enumerate(columns)]
    needed = [
        (own if column.least is None else min(own, column.least)) + _GAP
        for own, column in zip(widths, columns, strict=True)
    ]
    shown = list(range(len(columns)))
    for place in sorted((one for one in shown if columns[one].yields), key=lambda one: columns[one].yields):
        if sum(needed[one] for one in shown) <= width:
            break
        shown.remove(place)
    return shown
