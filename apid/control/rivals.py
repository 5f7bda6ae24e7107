"""Routes of a watchdog that have other lines, too: of other watchdogs, or of none.

Such a route is announced as the line says that was announced last, and a watchdog withdraws it only where it stands by
its own line, which ribd sees by the attributes. A watchdog that is announced again, and was not withdrawn, does not
take the place of one that was announced since: where several are well, and each says so every few seconds, the peers
hear nothing. That order is forgotten at our death: whoever speaks first then takes the place once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from apid.holdings import Holdings, Lines, Place
from bus.schema import AppliedConfiguration

NOTHING = AppliedConfiguration("", [], [], [], [])


class Rivals:
    """The lines of the configuration in force, and the order in which commands announced watchdogs."""

    def __init__(self, applied: Callable[[], AppliedConfiguration | None]) -> None:
        self._applied = applied
        self._order: dict[str, dict[str, None]] = {}  # by neighbor
        self._known = NOTHING
        self._holdings = Holdings(NOTHING)
        self._lines: dict[tuple[int, ...], dict[Place, Lines]] = {}  # of neighbors that share rows

    def note(self, watchdog: str, announce: bool, neighbors: Iterable[str]) -> None:
        """Take note that a watchdog was announced, unless it is already, or withdrawn."""
        for name in neighbors:
            order = self._order.setdefault(name, {})
            if announce:
                order.setdefault(watchdog)
            else:
                order.pop(watchdog, None)

    def keep(self, neighbors: Collection[str]) -> None:
        """Forget all other neighbors."""
        self._order = {name: order for name, order in self._order.items() if name in neighbors}

    def contested(
        self, watchdog: str, announce: bool, neighbor: str, commanded: Iterable[tuple[str, Place]]
    ) -> frozenset[Place]:
        """Return routes that are not for this watchdog alone: to withdraw, those that have any other line.

        To announce: those with the line of a watchdog that was announced since this one was. commanded: the routes that
        commands put under watchdogs.
        """
        since = self._since(watchdog, neighbor)
        if announce and not since:
            return frozenset()

        def rival(name: str) -> bool:
            return name in since if announce else name != watchdog

        found = {place for name, place in commanded if rival(name)}
        for place, lines in self._of(neighbor).items():
            if any(map(rival, lines.watched)) or (lines.plain is not None and not announce):
                found.add(place)
        return frozenset(found)

    def _since(self, watchdog: str, neighbor: str) -> set[str]:
        """Return the watchdogs that were announced since this one was."""
        order = list(self._order.get(neighbor, ()))
        return set(order[order.index(watchdog) + 1 :]) if watchdog in order else set()

    def _of(self, neighbor: str) -> dict[Place, Lines]:
        applied = self._applied() or NOTHING
        if applied is not self._known:
            self._known, self._holdings, self._lines = applied, Holdings(applied), {}
        rows = self._holdings.rows(neighbor)
        if rows not in self._lines:
            self._lines[rows] = self._holdings.of(neighbor, self._holdings.places(neighbor))
        return self._lines[rows]
