"""Read the shape of a configuration: statements ended by `;` and sections in braces, nothing else.

Statements are cut into tokens when they are asked for. A file of 100,000 routes is mostly lines that one
regular expression takes whole, without looking at their words.
"""

from __future__ import annotations

import re

from msgspec import Struct, field

from apid.config.source import Problems, Source
from apid.grammar.tokens import FILE_PATTERN
from apid.grammar.words import Token

_SIMPLE = re.compile(r"\s*+([^;{}\"'#\\$\n]++);")


class Statement(Struct):
    """Words up to a `;`. `start` and `end` are offsets in the source; the `;` is not included."""

    source: Source
    start: int
    end: int

    def tokens(self) -> list[Token]:
        """Cut the statement into tokens."""
        return list(self.source.tokens(self.start, self.end))


class Section(Struct):
    """Words before a `{`, and the nodes up to its `}`. `end` is the offset behind the `}`."""

    source: Source
    start: int
    brace: int
    end: int = 0
    children: list[Statement | Section] = field(default_factory=list)

    def tokens(self) -> list[Token]:
        """Cut the words before the brace into tokens."""
        return list(self.source.tokens(self.start, self.brace))

    def block_tokens(self) -> list[Token]:
        """Cut the whole section into tokens, its words, braces and statements alike."""
        return list(self.source.tokens(self.start, self.end))


Node = Statement | Section


def parse(source: Source, problems: Problems) -> list[Node]:
    """Read a whole text into its nodes; what is wrong goes to `problems` and reading goes on."""
    return _Reader(source, problems).read()


class _Reader:
    """Walks once over a text. `_start` is the offset of the statement that is open, or -1."""

    def __init__(self, source: Source, problems: Problems) -> None:
        self._source = source
        self._problems = problems
        self._root: list[Node] = []
        self._open: list[Section] = []
        self._nodes = self._root
        self._start = -1
        self._end = 0
        self._depth = 0

    def read(self) -> list[Node]:
        text = self._source.text
        position, length = 0, len(text)
        while position < length:
            if self._start < 0:
                simple = _SIMPLE.match(text, position)
                if simple is not None:
                    start = simple.start(1)
                    self._nodes.append(Statement(self._source, start, simple.end(1)))
                    position = simple.end()
                    continue
            match = FILE_PATTERN.search(text, position)
            if match is None:
                break
            self._take(match)
            position = match.end()
        self._finish(length)
        return self._root

    def _take(self, match: re.Match[str]) -> None:
        """Handle one token in the open."""
        kind = match.lastgroup
        if kind in ("word", "quoted", "unterminated", "unclosed"):
            self._extend(match)
        elif kind == "mark":
            self._mark(match)
        elif kind == "newline" and self._start >= 0 and not self._depth:
            self._line_ends(match.start())

    def _extend(self, match: re.Match[str]) -> None:
        if self._start < 0:
            self._start = match.start()
            self._depth = 0
        self._end = match.end()

    def _mark(self, match: re.Match[str]) -> None:
        mark = match.group()
        if mark == ";":
            self._close_statement(match.start())
        elif mark == "{":
            start = self._start if self._start >= 0 else match.start()
            section = Section(self._source, start, match.start())
            self._nodes.append(section)
            self._open.append(section)
            self._nodes = section.children
            self._start = -1
        elif mark == "}":
            self._close_section(match)
        else:
            self._extend(match)
            self._depth = max(0, self._depth + (mark in "[(") - (mark in "])"))

    def _close_statement(self, end: int) -> None:
        """End the open statement; a `;` with nothing before it means nothing."""
        if self._start >= 0:
            self._nodes.append(Statement(self._source, self._start, end))
            self._start = -1

    def _line_ends(self, newline: int) -> None:
        """Decide about words with neither `;` nor brace on their line: only a `{` may still follow."""
        following = newline
        while True:
            match = FILE_PATTERN.search(self._source.text, following)
            if match is None or match.lastgroup not in ("newline", "comment"):
                break
            following = match.end()
        if match is not None and match.group() == "{":
            return
        self._problems.error(self._source, self._end, "';' expected at the end of the statement")
        self._close_statement(self._end)

    def _close_section(self, match: re.Match[str]) -> None:
        if self._start >= 0:
            self._problems.warn(self._source, self._end, "';' expected before '}'")
            self._close_statement(self._end)
        if not self._open:
            self._problems.braces(self._source, match.start(), "'}' closes nothing: there is no open '{'")
            return
        self._open.pop().end = match.end()
        self._nodes = self._open[-1].children if self._open else self._root

    def _finish(self, length: int) -> None:
        """End what the text leaves open."""
        if self._start >= 0:
            self._problems.error(self._source, self._end, "';' expected at the end of the statement")
            self._close_statement(self._end)
        for section in reversed(self._open):
            section.end = length
            words = self._source.text[section.start : section.brace].strip()
            self._problems.braces(self._source, section.brace, f"the section '{words}' has no closing '}}'")
