"""Leases: routes that are withdrawn unless they are announced again in time.

How long a lease is belongs to the state and is journalled; when it ends depends on the clock, which is handed in. A
journal that is read again therefore begins every lease anew, with its whole length.
"""

from __future__ import annotations

from collections.abc import Iterable

CLIENT = "lease"  # who has routes withdrawn whose lease is over (see `ribd.lapse`)


class Leases:
    """The leases of one family of one table, by route key."""

    __slots__ = ("_ends", "seconds")

    def __init__(self) -> None:
        self.seconds: dict[bytes, int] = {}
        self._ends: dict[int, dict[bytes, float]] = {}  # by length: keys in the order in which they end

    def begin(self, keys: Iterable[bytes], seconds: int, now: float) -> None:
        """Begin leases; those that are there already begin anew."""
        for key in keys:
            self._forget(key)
            self.seconds[key] = seconds
            self._ends.setdefault(seconds, {})[key] = now + seconds

    def end(self, keys: Iterable[bytes]) -> None:
        """Forget leases: the routes are permanent, or gone."""
        for key in keys:
            self._forget(key)

    def _forget(self, key: bytes) -> None:
        seconds = self.seconds.pop(key, None)
        if seconds is not None:
            ends = self._ends[seconds]
            del ends[key]
            if not ends:
                del self._ends[seconds]

    def over(self, now: float) -> list[bytes]:
        """Return the keys whose time is over."""
        found = []
        for ends in self._ends.values():
            for key, end in ends.items():
                if end > now:
                    break
                found.append(key)
        return found

    def left(self, key: bytes, now: float) -> int | None:
        """Return the seconds that are left, rounded up; None for a route without a lease."""
        seconds = self.seconds.get(key)
        return None if seconds is None else max(0, int(self._ends[seconds][key] - now + 0.999))

    def copy(self) -> Leases:
        """Copy for a split."""
        other = Leases()
        other.seconds = self.seconds.copy()
        other._ends = {seconds: ends.copy() for seconds, ends in self._ends.items()}
        return other
