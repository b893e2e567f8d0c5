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

_USUAL_WIDTH = 80  # on anything narrower every column may wrap


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; numbers stand right, and only `wraps` columns are broken over lines if they must."""

    name: str
    right: bool = False
    style: str = ""
    wraps: bool = False


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

        heading = Text(printable(title), style="bold") if title else None
        table = Table(
            title=heading, title_justify="left", box=None, padding=(0, 2, 0, 0), header_style="bold underline"
        )
        for column in columns:
            table.add_column(
                Text(column.name),
                justify="right" if column.right else "left",
                style=column.style,
                overflow="fold",
                no_wrap=not column.wraps and self._console.width >= _USUAL_WIDTH,
            )
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        self._console.print(table)
        self._console.print()
