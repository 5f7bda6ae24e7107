"""Tables for a terminal."""

from __future__ import annotations

import shutil
import sys

import click

GAP = 2


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Lay out rows below a head. On a terminal, the widest column gives way so that a line fits.

    The first one never does: it tells the rows apart.
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    if sys.stdout.isatty():
        excess = sum(widths) + GAP * (len(widths) - 1) - shutil.get_terminal_size().columns
        widest = widths.index(max(widths[1:]), 1)
        if excess > 0:
            widths[widest] = max(len(head[widest]), widths[widest] - excess)
    lines = [_line(head, widths)]
    return lines + [_line(row, widths) for row in rows]


def _line(cells: list[str], widths: list[int]) -> str:
    shown = [_cut(cell, width).ljust(width) for cell, width in zip(cells, widths, strict=True)]
    return (" " * GAP).join(shown).rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def coloured(text: str, good: bool) -> str:
    """Colour a word on a terminal."""
    return click.style(text, fg="green" if good else "red") if sys.stdout.isatty() else text
