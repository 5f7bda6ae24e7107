"""Markdown that every viewer understands: tables, code, lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def code(text: str) -> str:
    """Render a piece of code; one with a `|` in HTML, as tables are cut there."""
    if not text:
        return ""
    if "|" not in text:
        return f"`{text}`"
    for letter, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "&#124;")):
        text = text.replace(letter, entity)
    return f"<code>{text}</code>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Render a table; cells must not hold a `|`."""
    lines = [_row(head), _row(["---"] * len(head))]
    for row in rows:
        if len(row) != len(head) or any("|" in cell or "\n" in cell for cell in row):
            raise ValueError(f"not {len(head)} cells of one line without '|': {row}")
        lines.append(_row(row))
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def block(language: str, text: str) -> str:
    """Render a block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def sentence(text: str) -> str:
    """Return a text that ends with a full stop, and begins with a capital letter unless it begins with code."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "…", ";")) else ".")
