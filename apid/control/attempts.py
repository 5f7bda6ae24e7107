"""The end of everything once every session has used up its attempts to connect (`tcp.attempts`)."""

from __future__ import annotations

from collections.abc import Callable, Collection

from bus.schema import Spent


class Attempts:
    """What the peerds say of their sessions. One that waits for its peer, as of a range, or is shut is never spent."""

    def __init__(self, neighbors: Callable[[], Collection[str]], over: Callable[[], None]) -> None:
        """Take who the neighbors are, and what to call when all are spent."""
        self._neighbors, self._over = neighbors, over
        self._spent: dict[str, list[str]] = {}  # by program

    def heard(self, program: str, message: Spent) -> None:
        """Take what a peerd says."""
        self._spent[program] = message.neighbors
        self.look()

    def forget(self, program: str) -> None:
        """Forget what a peerd has said: it is gone, or about to say it anew."""
        self._spent.pop(program, None)

    def look(self) -> None:
        """End if all are spent; where there are no neighbors, some may still be created."""
        neighbors = self._neighbors()
        if neighbors and set(neighbors).issubset(name for names in self._spent.values() for name in names):
            self._over()
