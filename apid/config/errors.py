"""What is wrong in configuration files: every error of a load, each with its place and the line itself."""

from __future__ import annotations

from msgspec import Struct

SHOWN = 50  # a broken generated file may hold an error on each of its 100,000 lines


class ConfigurationError(Struct, frozen=True):
    """One error, or one warning, at a place; line and column count from 1, line 0 is the file as a whole.

    `source_line` has no keys; of a long line it is the part around the place, without `cut` characters before it.
    """

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    source_line: str = ""
    cut: int = 0

    def __str__(self) -> str:
        """Render `file:line:column: message`, the source line with a caret below, and the hint."""
        if not self.line:
            text = f"{self.file}: {self.message}"
        else:
            text = f"{self.file}:{self.line}:{self.column}: {self.message}"
        if self.source_line.strip():
            shown = self.source_line.expandtabs(4)
            caret = len(self.source_line[: self.column - 1 - self.cut].expandtabs(4))
            text += f"\n    {shown}\n    {' ' * caret}^"
        if self.hint:
            text += f"\n    {self.hint}"
        return text


class ConfigurationErrors(Exception):
    """A configuration that cannot be used: all its errors, in the order of files and lines."""

    def __init__(self, errors: list[ConfigurationError]) -> None:
        super().__init__(errors)
        self.errors = errors

    def __str__(self) -> str:
        shown = [str(error) for error in self.errors[:SHOWN]]
        if len(self.errors) > SHOWN:
            shown.append(f"and {len(self.errors) - SHOWN} more errors")
        return "\n".join(shown)
