"""A configuration text with its name, and the collector of what is wrong in it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping

from apid.config.errors import ConfigurationError
from apid.grammar.secret import EXPECTED, holds_secret, without_secrets
from apid.grammar.tokens import scan
from apid.grammar.words import GrammarError, Token

AROUND = 200  # characters of a long line that are shown on each side of a place, or of a long message
CUT_OFF = "the file may have been cut off, so it is not taken; a start takes it with a warning"


class Source:
    """The text of one file; finds lines and columns only when they are asked for.

    `directory` is where programs and included files of this text are looked up; `environment` holds the
    values of `${NAME}`. `trail` names the files that are being included, this one last.
    """

    __slots__ = ("_line_starts", "_shown", "directory", "environment", "name", "text", "trail")

    def __init__(
        self,
        name: str,
        text: str,
        directory: str,
        environment: Mapping[str, str],
        trail: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.trail = trail
        self.text = text
        self.directory = directory
        self.environment = environment
        self._line_starts: list[int] | None = None
        self._shown = (0, "")  # the line that was shown last, without keys

    def place(self, offset: int) -> tuple[int, int]:
        """Return the line and column of an offset, both counted from 1."""
        starts = self._starts()
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def excerpt(self, line: int, column: int) -> tuple[str, int]:
        """Return what to show of a line, without keys, and how many characters of a long one stand before that."""
        if line != self._shown[0]:  # a generated file may be one line, with errors everywhere
            self._shown = line, without_secrets(self._line_text(line))
        text = self._shown[1]
        start, end = column - 1 - AROUND, column - 1 + AROUND
        if end < len(text):
            text = text[:end] + "…"
        return (text, 0) if start <= 0 else ("…" + text[start + 1 :], start)

    def _line_text(self, line: int) -> str:
        """Return a line without its end, or nothing where there is no such line."""
        starts = self._starts()
        if not 0 < line <= len(starts):
            return ""
        end = self.text.find("\n", starts[line - 1])
        return self.text[starts[line - 1] : None if end < 0 else end].rstrip("\r")

    def tokens(self, start: int, end: int) -> Iterator[Token]:
        """Cut a part of the text into tokens that know their places in the file."""
        line, column = self.place(start)
        return scan(self.text, start, end, line=line, column=column, environment=self.environment)

    def _starts(self) -> list[int]:
        if self._line_starts is None:
            starts = [0]
            position = self.text.find("\n")
            while position >= 0:
                starts.append(position + 1)
                position = self.text.find("\n", position + 1)
            self._line_starts = starts
        return self._line_starts


class Problems:
    """Collects errors and warnings, so that one run of the check shows them all.

    `whole`: a file that seems to have been cut off is an error.
    """

    __slots__ = ("_whole", "errors", "warnings")

    def __init__(self, whole: bool = False) -> None:
        self._whole = whole
        self.errors: list[ConfigurationError] = []
        self.warnings: list[ConfigurationError] = []

    def error(self, source: Source, place: Token | int, message: str, hint: str = "") -> None:
        """Add an error at a token or at an offset of the text."""
        self.errors.append(_problem(source, place, message, hint))

    def grammar(self, source: Source, offset: int, error: GrammarError) -> None:
        """Add a grammar error, and those that it carries; `offset` is the place of one that has none of its own."""
        for each in (error, *error.further):
            place = each.token if each.token is not None and each.token.line else offset
            quotes = each.token is not None and f"'{each.token.text}'" in each.message
            self.error(source, place, EXPECTED if quotes and holds_secret(source.text, offset) else each.message)

    def warn(self, source: Source, place: Token | int, message: str, hint: str = "") -> None:
        """Add a warning: the configuration is used all the same."""
        self.warnings.append(_problem(source, place, message, hint))

    def braces(self, source: Source, place: Token | int, message: str) -> None:
        """Add what is wrong with braces; ExaBGP takes such a file."""
        if self._whole:
            self.error(source, place, message, CUT_OFF)
        else:
            self.warn(source, place, message)


def _problem(source: Source, place: Token | int, message: str, hint: str) -> ConfigurationError:
    line, column = source.place(place) if isinstance(place, int) else (place.line, place.column)
    if len(message) > 2 * AROUND:
        message = f"{message[:AROUND]} … {message[-AROUND:]}"
    return ConfigurationError(source.name, line, column, message, hint, *source.excerpt(line, column))
