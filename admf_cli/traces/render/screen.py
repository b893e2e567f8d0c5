"""Tables and lines on a terminal or in a pipe. Refuses to know what they are about.

Every piece of text goes through `printable` and reaches Rich as a `Text`, never as markup.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from admf_cli.traces.render.text import printable

if TYPE_CHECKING:
    from rich.console import Console

_GAP = 2  # between columns
_USUAL_WIDTH = 80  # on anything narrower every column may wrap


@dataclass(frozen=True, slots=True)
class Column:
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

    def line(self, text: str = "", style: str = "") -> None:
        """Print one line of text."""
        if self._console is None:
            self._file.write(printable(text) + "\n")
            return
        from rich.text import Text

        self._console.print(Text(printable(text), style=style), soft_wrap=True)

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
        heading = Text(printable(title), style="bold") if title else None
        table = Table(
            title=heading, title_justify="left", box=None, padding=(0, _GAP, 0, 0), header_style="bold underline"
        )
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
