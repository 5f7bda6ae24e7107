"""What is remembered of texts that were read, and of octets that were rendered, in bounded room."""

from __future__ import annotations

from typing import Generic, TypeVar

REMEMBERED_OCTETS = 24 * 1024 * 1024  # of texts of one kind, and what they say: all tails of a full table fit
ENTRY_OCTETS = 256  # of a text, and of what it says, beside its characters

Key = TypeVar("Key")
Value = TypeVar("Value")


class Memory(Generic[Key, Value]):
    """What texts or octets say, by them. Whoever sends them decides how long they are: octets are counted, not entries.

    `known` is a plain dict, to be read directly: it is on the way of every line.
    """

    __slots__ = ("_most", "_octets", "known")

    def __init__(self, most: int = REMEMBERED_OCTETS) -> None:
        self.known: dict[Key, Value] = {}
        self._most = most
        self._octets = 0

    def keep(self, key: Key, value: Value, length: int) -> Value:
        """Remember and return what a text of this length says; where there is no room, all others are forgotten."""
        size = ENTRY_OCTETS + length
        self._octets += size
        if self._octets > self._most:
            self.known.clear()
            self._octets = size
        self.known[key] = value
        return value
