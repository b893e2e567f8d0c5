"""Lines and tables on a console of any width and kind. Refuses to know what they are about.

Whatever comes from a configuration or from data is text: it reaches Rich as `Text`, never as markup, with its control
characters written out, and in ASCII where the console has no more.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segments
from rich.table import Table
from rich.text import Text

from admf_cli.traces.render.text import printable

_GAP = 2
_LEAST_TEXT = 12  # columns of the screen that a folded text column is given at least


class Column(Struct, frozen=True):
    """One column of a table.

    Attributes:
        heading: its lines stand on lines of their own.
        right: it holds numbers: set right, and folded last.
        signed: a number below zero is a loss, and is shown as one.
    """

    heading: str
    right: bool = False
    signed: bool = False


class Page:
    """Prints on one console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._ascii_only = console.options.ascii_only

    @property
    def arrow(self) -> str:
        """What stands between the steps of the funnel."""
        return " -> " if self._ascii_only else " → "

    def line(self, text: str = "", style: str = "") -> None:
        """Print one line, never cut or wrapped by us: a path or a command in it can be copied."""
        self._console.print(Text(self._clean(text), style=style), soft_wrap=True)

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """Print rows of cells under their headings.

        Nothing is left out: on a terminal what is too wide is folded, text before numbers; in a pipe or a file every
        row stays on one line, however long.
        """
        widths = self._widths(columns, rows)
        available = self._console.width if self._console.is_terminal else max(self._console.width, _total(widths))
        numbers = [width for column, width in zip(columns, widths, strict=True) if column.right]
        numbers_fit = _total(numbers) + _LEAST_TEXT * (len(columns) - len(numbers)) <= available
        table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold underline")
        for column in columns:
            table.add_column(
                Text(self._lines(column.heading)),
                justify="right" if column.right else "left",
                overflow="fold",
                no_wrap=column.right and numbers_fit,
            )
        for row in rows:
            table.add_row(*(self._cell(cell, column.signed) for cell, column in zip(row, columns, strict=True)))
        # `print(width=…)` never goes beyond the console's own width.
        wide = self._console.render(table, self._console.options.update_width(available))
        self._console.print(Segments(wide), crop=False, end="")

    def fits(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> bool:
        """Return whether a table stands on this console without folding."""
        return _total(self._widths(columns, rows)) <= self._console.width

    def _widths(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
        widths = [max(map(cell_len, self._lines(column.heading).split("\n"))) for column in columns]
        for row in rows:
            widths = [max(width, cell_len(self._clean(cell))) for width, cell in zip(widths, row, strict=True)]
        return widths

    def _cell(self, text: str, signed: bool) -> Text:
        return Text(self._clean(text), style="red" if signed and text.startswith("-") else "")

    def _lines(self, text: str) -> str:
        return "\n".join(map(self._clean, text.split("\n")))

    def _clean(self, text: str) -> str:
        clean = printable(text)
        return clean.encode("ascii", "backslashreplace").decode() if self._ascii_only else clean


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * max(len(widths) - 1, 0)
