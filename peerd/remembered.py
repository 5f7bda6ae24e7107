"""What bridges have said about neighbors: it holds for a session that begins later, or anew, as well.

A bridge says it once for as long as its connection lasts, and perhaps before this process has read of the neighbor.
"""

from __future__ import annotations

from typing import TypeAlias

from bus.schema import Settled, Spoken, Subscribe
from bus.settings import SessionConfiguration

NEIGHBORS = 16_384  # about which words are kept: those not heard of for longest are forgotten
HELPERS = 256  # likewise, for each neighbor

Word: TypeAlias = Subscribe | Spoken | Settled
Words: TypeAlias = dict[type[Word], tuple[bytes, Word]]  # of one helper, with the identity of its bridge


class Remembered:
    """The words of all bridges, by neighbor and helper."""

    def __init__(self) -> None:
        self._words: dict[str, dict[str, Words]] = {}

    def note(self, identity: bytes, word: Word) -> None:
        """Take a bridge's word. A Subscribe to nothing ends all of them."""
        helpers = self._words.setdefault(word.neighbor, {})
        if isinstance(word, Subscribe) and not word.kinds:
            helpers.pop(word.helper, None)
        else:
            helpers.setdefault(word.helper, {})[type(word)] = identity, word
        if len(helpers) > HELPERS:
            del helpers[next(iter(helpers))]
        if not helpers:
            del self._words[word.neighbor]
        if len(self._words) > NEIGHBORS:
            del self._words[next(iter(self._words))]

    def of(self, configuration: SessionConfiguration) -> list[tuple[bytes, Word]]:
        """Return what holds for a neighbor; forget the words of helpers that it does not have any more."""
        own = {*configuration.helpers, *configuration.speakers, *configuration.announcers}
        helpers = {name: words for name, words in self._words.pop(configuration.name, {}).items() if name in own}
        if helpers:
            self._words[configuration.name] = helpers
        return [word for words in helpers.values() for word in words.values()]
