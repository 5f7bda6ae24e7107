"""What was rendered before, by the octets that it was rendered from."""

from __future__ import annotations

from typing import Generic, TypeVar

REMEMBERED_OCTETS = 4 * 1024 * 1024  # of texts and what they were rendered from, for each kind of text and session

Text = TypeVar("Text")


class Remembered(dict[bytes, Text], Generic[Text]):
    """A bounded dict: what a peer sends decides how long a text is, so octets are counted, not texts."""

    __slots__ = ("_octets",)

    def __init__(self) -> None:
        super().__init__()
        self._octets = 0

    def keep(self, octets: bytes, text: Text, size: int) -> None:
        """Remember a text of `size` octets; when there are too many octets, all that was remembered is forgotten."""
        size += len(octets)
        if self._octets + size > REMEMBERED_OCTETS:
            self.clear()
            self._octets = 0
        self._octets += size
        self[octets] = text
