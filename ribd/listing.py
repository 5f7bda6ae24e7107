"""Routes page by page: whoever lists a table sees each family as it was when the listing began.

The copy is kept between two pages, so that a million routes cost a million steps. A listing that was given up and is
continued goes on at its place in the table as it is then.
"""

from __future__ import annotations

from typing import Any

from bus.schema import ListRoutes, RoutePage
from ribd.table import Entry, FamilyTable, Table, Withdrawn

PAGE_LIMIT = 10_000  # routes in a page at most
PAGE_OCTETS = 4 * 1024 * 1024  # of attribute sets and items, unless one route is longer: a page must fit the bus
LISTINGS = 8  # kept at the same time
PATIENCE = 60.0  # seconds for the next page to be asked for: the copy keeps routes alive that have changed since

Part = tuple[FamilyTable, list[Entry]]


class Listings:
    """The listings that are under way, by who asked and for which neighbor."""

    def __init__(self) -> None:
        self._kept: dict[tuple[bytes, str], tuple[list[Part], float]] = {}  # with the time of the last page

    def page(self, identity: bytes, request: ListRoutes, table: Table | None, now: float) -> RoutePage:
        """Return the next page."""
        parts, _ = self._kept.pop((identity, request.neighbor), (None, 0.0))
        if parts is None or request.after <= 0:
            families = [] if table is None else table.families.values()
            parts = [(routes, [*routes.entries.values()]) for routes in families]
        rows, after = _page(parts, max(request.after, 0), min(max(request.limit, 1), PAGE_LIMIT), now)
        if after >= 0:
            self._kept[identity, request.neighbor] = parts, now
            if len(self._kept) > LISTINGS:
                self._kept.pop(next(iter(self._kept)))
        return RoutePage(request.request, request.neighbor, after, rows)

    def expire(self, now: float) -> None:
        """Give up the listings whose askers have not come back."""
        self._kept = {key: (parts, last) for key, (parts, last) in self._kept.items() if now - last < PATIENCE}


def _page(parts: list[Part], after: int, limit: int, now: float) -> tuple[list[list[Any]], int]:
    """Return rows from place `after` on, and the place that follows them, -1 where that is the end."""
    rows: list[list[Any]] = []
    octets, start = 0, 0
    for routes, entries in parts:
        leases, family = routes.leases, routes.family
        for place in range(max(0, after - start), len(entries)):
            _, attributes, item = entries[place]
            if isinstance(attributes, Withdrawn):
                continue
            octets += len(attributes) + len(item)
            if rows and (len(rows) >= limit or octets > PAGE_OCTETS):
                return rows, start + place
            left = leases.left(routes.key(item), now) if leases.seconds else None
            rows.append([*family, attributes, item] if left is None else [*family, attributes, item, left])
        start += len(entries)
    return rows, -1
