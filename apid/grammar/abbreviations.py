"""Commands typed by people: words in full where they are abbreviated, and what may come next.

A word is compared with the words of the commands that may stand at its place. Values are free, and so are the words of
a route: they are never changed. Where several words begin alike, the one that `exabgp cli` (5.0.15) takes is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from apid.grammar.command_names import COMMANDS, FOLLOWING, ROWS, SELECTORS, TERM_NAMES
from apid.grammar.tokens import command_tokens
from apid.grammar.words import GrammarError

PREFERRED = (
    "show",
    "announce",
    "withdraw",
    "neighbor",
    "flush",
    "clear",
    "teardown",
    "help",
    "route",
    "eor",
    "flow",
    "attributes",
    "vpls",
    "extensive",
)
FIRST = FOLLOWING[()] | {*SELECTORS}
SELECTED = {row.name.split()[0] for row in COMMANDS if row.selectable} | {"group", "routes"}


def completed(word: str, choice: Collection[str]) -> str:
    """Return the word of a choice that a word abbreviates; the word itself where that is none, or not clear."""
    found = {each for each in choice if each.startswith(word)}
    if not word or word in found or not found:
        return word
    if len(found) == 1:
        return found.pop()
    return next((each for each in PREFERRED if each in found), word)


class Place:
    """Where in a command one is, word by word. `choice` has the words that may be next, where they are not free."""

    def __init__(self) -> None:
        self.choice: Collection[str] = ()
        self._exact = False  # a name may stand here, too: nothing is an abbreviation
        self._name: tuple[str, ...] = ()
        self._options: Collection[str] = ()
        self._next: Callable[[str], None]
        self._expect(FIRST, self._first)

    @property
    def free(self) -> bool:
        """Whether all that follows is free."""
        return self._next == self._free

    def take(self, word: str, quoted: bool = False) -> str:
        """Go on by a word; return it in full. One that was quoted is no abbreviation."""
        full = word if self._exact or quoted else completed(word, self.choice)
        self._next(full)
        return full

    def _expect(self, choice: Collection[str], then: Callable[[str], None], exact: bool = False) -> None:
        self.choice, self._next, self._exact = choice, then, exact

    def _first(self, word: str) -> None:
        if word in SELECTORS:
            self._expect(FOLLOWING.get((word,), ()), self._command_of_peers if word == "peer" else self._peer, True)
        else:
            self._word(word)

    def _command_of_peers(self, word: str) -> None:
        if word in self.choice:
            self._name = ("peer",)
            self._word(word)
        else:
            self._peer(word)

    def _peer(self, word: str) -> None:
        if word == "[":
            self._expect((), self._peer_in_brackets)
        else:
            self._selected()

    def _peer_in_brackets(self, word: str) -> None:
        if word == "]":
            self._selected()

    def _selected(self, _value: str = "") -> None:
        self._expect(SELECTED | {*TERM_NAMES}, self._after_selector)

    def _after_selector(self, word: str) -> None:
        if word in TERM_NAMES:
            self._expect((), self._selected)
        elif word == ",":
            self._expect(SELECTORS, self._first)
        else:
            self._word(word)

    def _word(self, word: str) -> None:
        """Take a word of the name of a command."""
        self._name = (*self._name, word)
        if self._name in FOLLOWING:
            self._expect(FOLLOWING[self._name], self._word)
        elif self._name in ROWS and ROWS[self._name].options:
            self._options = ROWS[self._name].options
            self._expect(self._options, self._option)
        else:
            self._expect((), self._free)

    def _option(self, word: str) -> None:
        if word in SELECTORS or word in TERM_NAMES:
            self._expect((), self._value_among_options)

    def _value_among_options(self, _word: str) -> None:
        self._expect(self._options, self._option)

    def _free(self, _word: str) -> None:
        """Take any word."""


def in_full(line: str) -> str:
    """Return a command with its abbreviated words in full, and everything else as it was written."""
    try:
        tokens = command_tokens(line)
    except GrammarError:
        return line
    place, written, end = Place(), [], 0
    for token in tokens:
        full = place.take(token.text, token.quoted)
        if full != token.text:
            written += [line[end : token.column - 1], full]
            end = token.column - 1 + len(token.text)
        if place.free:
            break
    return "".join([*written, line[end:]])


def words_in_full(*words: str) -> tuple[str, ...]:
    """Return the words of a command in full where they are abbreviated."""
    place = Place()
    return tuple(map(place.take, words))


def next_words(*words: str) -> list[str]:
    """Return what the next word of a command may be, where it is not free."""
    place = Place()
    for word in words:
        place.take(word)
    return sorted(place.choice)
