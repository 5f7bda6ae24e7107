"""Tokens with their places, and the cursor that every grammar rule reads from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import lru_cache

from msgspec import Struct

LONGEST_CHOICE = 20  # words that a message lists
OPENING, CLOSING = frozenset("[({"), frozenset("])}")
LONGEST_MISTAKE = 64  # characters of a word that may be meant for another: comparing longer ones takes long


class GrammarError(ValueError):
    """Something else was expected: carries the place, what was seen and what was expected.

    `further` has the errors of the other statements of a block, or of the other keywords of a statement.
    """

    def __init__(self, message: str, token: Token | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.token = token
        self.further: tuple[GrammarError, ...] = ()


class Token(Struct, frozen=True):
    """One word or punctuation mark; line and column count from 1, line 0 where there is no file."""

    text: str
    line: int = 0
    column: int = 0
    quoted: bool = False

    def __str__(self) -> str:
        return self.text


class Words:
    """A cursor over tokens. Rules consume from it and raise `GrammarError` at the token that is wrong."""

    __slots__ = ("_end", "_position", "_tokens")

    def __init__(self, tokens: Iterable[Token], end: Token | None = None) -> None:
        self._tokens = list(tokens)
        self._position = 0
        self._end = end or (self._tokens[-1] if self._tokens else None)

    def __bool__(self) -> bool:
        return self._position < len(self._tokens)

    def peek(self) -> str:
        """Return the next word without consuming it, or an empty string at the end."""
        return self._tokens[self._position].text if self else ""

    def next(self, expected: str) -> str:
        """Consume a word; `expected` describes it for the error at the end of the line."""
        return self.token(expected).text

    def token(self, expected: str) -> Token:
        """Consume a token."""
        if not self:
            raise GrammarError(f"{expected} expected, but the statement ends", self._end)
        token = self._tokens[self._position]
        self._position += 1
        return token

    def accept(self, text: str) -> bool:
        """Consume the next word if it is `text`."""
        if self.peek() == text and self:
            self._position += 1
            return True
        return False

    def expect(self, text: str) -> None:
        """Consume `text` or raise."""
        token = self.token(f"'{text}'")
        if token.text != text:
            raise GrammarError(f"'{text}' expected, not '{token.text}'", token)

    def statement(self, read: Callable[[], None]) -> GrammarError | None:
        """Read a statement of a block; where it is wrong, return the error and go on behind the statement."""
        start = self._position
        try:
            read()
        except GrammarError as error:
            self._position = self._behind_statement(start)
            return error
        return None

    def _behind_statement(self, start: int) -> int:
        """Return the position behind the `;` or the section that ends a statement, or of its block's `}`."""
        depth = 0
        for position in range(start, len(self._tokens)):
            token = self._tokens[position]
            mark = "" if token.quoted else token.text
            if mark == "}" and not depth:
                return position
            depth += (mark == "{") - (mark == "}")
            if mark in (";", "}") and not depth:
                return position + 1
        return len(self._tokens)

    @property
    def position(self) -> int:
        """How many words were consumed."""
        return self._position

    def go_on(self, start: int, known: Callable[[str], bool]) -> None:
        """Go to the first word from `start` on, outside of brackets, that is known; else to the `;` or the end."""
        depth = 0
        for position in range(start, len(self._tokens)):
            token = self._tokens[position]
            text = "" if token.quoted else token.text
            if not depth and text and (text == ";" or known(text)):
                self._position = position
                return
            depth = max(0, depth + (text in OPENING) - (text in CLOSING))
        self._position = len(self._tokens)

    def last(self) -> Token | None:
        """Return the token consumed last, where an error about its value belongs."""
        return self._tokens[self._position - 1] if self._position else self._end

    def wrong(self, message: str) -> GrammarError:
        """Build the error for the token consumed last."""
        return GrammarError(message, self.last())

    def finish(self) -> None:
        """Raise unless everything was consumed."""
        if self:
            token = self._tokens[self._position]
            raise GrammarError(f"end of statement expected, not '{token.text}'", token)


def read_block(words: Words, read: Callable[[], None]) -> None:
    """Read the statements of a block up to its `}`, each by `read`; the first error is raised with the others."""
    errors: list[GrammarError] = []
    while not words.accept("}"):
        error = words.statement(read if words else lambda: words.expect("}"))
        if error is not None:
            errors.append(error)
            if not words:
                break
    if errors:
        raise together(errors)


def read_row(words: Words, read: Callable[[], None], known: Callable[[str], bool], until: str = "") -> None:
    """Read keywords in a row, each with its value by `read`; the first error is raised with the others.

    Behind an error it goes on at the next word that is `known`. The row ends at a `;` or at the word `until`.
    """
    errors: list[GrammarError] = []
    while words and words.peek() not in (";", until):
        start = words.position
        try:
            read()
        except GrammarError as error:
            errors.append(error)
            words.go_on(start + 1, known)
    if errors:
        raise together(errors)


def together(errors: list[GrammarError]) -> GrammarError:
    """Return the first of some errors, which carries the others."""
    first, *others = errors
    first.further += tuple(each for other in others for each in (other, *other.further))
    return first


def is_unicode(text: str) -> bool:
    """Whether a text can leave as UTF-8: of octets from outside that are not, Python makes halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def unknown_word(seen: str, known: Iterable[str], what: str, usual: str = "") -> str:
    """Say that a word is unknown, with the nearest known one, the whole choice where it is short, or what is usual."""
    choice = tuple(sorted(known))
    near = _nearest(seen, choice)
    if near:
        return f"unknown {what} '{seen}': did you mean '{near}'?"
    if len(choice) <= LONGEST_CHOICE:
        return f"unknown {what} '{seen}': expected one of {', '.join(choice)}"
    return f"unknown {what} '{seen}'" + (f": expected {usual}" if usual else "")


@lru_cache(maxsize=1024)
def _nearest(seen: str, choice: tuple[str, ...]) -> str:
    """Return the nearest of some words, or nothing. A helper that goes wrong writes the same line again and again."""
    near = get_close_matches(seen, choice, n=1) if len(seen) <= LONGEST_MISTAKE else ()
    return near[0] if near else ""
