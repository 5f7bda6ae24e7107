"""Adj-RIB-In: what the peer has announced and not withdrawn, as octets, for `show adj-rib in`."""

from __future__ import annotations

from itertools import repeat

from bgp.family import Family
from bgp.nlri import KEYED_BY_ITEM, route_key
from bgp.update import Update

PAGE_OCTETS = 4 * 1024 * 1024  # of attributes and items, unless one route is longer: a page must fit the bus

LISTINGS = 8  # under way at the same time
PLACES = 1 << 32  # more than a listing has

Listed = list[tuple[Family, list[bytes]]]
Row = tuple[Family, bytes, bytes, bytes]  # family, attribute octets, next hop, item


class AdjRibIn:
    """Routes by family and key, in the order in which they first came."""

    def __init__(self) -> None:
        # Attribute octets and next hop by key; None for what is hidden.
        self._families: dict[Family, dict[bytes, tuple[bytes, bytes] | None]] = {}
        self._items: dict[Family, dict[bytes, bytes]] = {}  # by key, where an item is more than its key
        self._fresh: dict[Family, set[bytes]] = {}  # keys that came since a refresh began, where one is under way
        self._listings: dict[int, Listed] = {}  # those under way, by number
        self._begun = 0  # listings so far

    def __len__(self) -> int:
        return sum(map(len, self._families.values()))

    def take(self, update: Update) -> None:
        """Apply an UPDATE."""
        for withdrawn in update.withdrawn:
            routes = self._families.get(withdrawn.family)
            if routes:
                items = self._items.get(withdrawn.family, {})
                fresh = self._fresh.get(withdrawn.family, set())
                for key in self._keys(withdrawn.family, withdrawn.items):
                    routes.pop(key, None)
                    items.pop(key, None)
                    fresh.discard(key)
        for reach in update.announced:
            keys = self._keys(reach.family, reach.items)
            if keys is not reach.items:
                self._items.setdefault(reach.family, {}).update(zip(keys, reach.items, strict=True))
            routes = self._families.setdefault(reach.family, {})
            routes.update(zip(keys, repeat((update.attributes.octets, reach.next_hop)), strict=False))
            if reach.family in self._fresh:
                self._fresh[reach.family].update(keys)

    def _keys(self, family: Family, items: list[bytes]) -> list[bytes]:
        """Return what identifies routes: a withdrawal may carry another label than the announcement."""
        return items if family.safi in KEYED_BY_ITEM else [route_key(family, item) for item in items]

    def count(self, family: Family) -> int:
        """Return how many routes a family has."""
        return len(self._families.get(family, ()))

    def counts(self) -> dict[Family, int]:
        """Return how many routes each family has."""
        return {family: len(routes) for family, routes in self._families.items()}

    def page(self, after: int, limit: int) -> tuple[list[Row], int]:
        """Return up to `limit` routes from `after` on, 0 to begin, and where the next page begins, -1 at the end.

        That is a place in a list of keys which is made for each listing, so that every route is visited once.
        """
        number, after = divmod(max(after, 0), PLACES)
        listed = self._listings.get(number)
        if listed is None:
            number, listed = self._begin()
        rows: list[Row] = []
        octets, start = 0, 0
        for family, keys in listed:
            routes, items = self._families.get(family, {}), self._items.get(family, {})
            for place in range(max(0, after - start), len(keys)):
                key = keys[place]
                route = routes.get(key)
                if route is None:
                    continue
                attributes, next_hop = route
                item = items.get(key, key)
                octets += len(attributes) + len(item)
                if rows and (len(rows) >= limit or octets > PAGE_OCTETS):
                    return rows, number * PLACES + start + place
                rows.append((family, attributes, next_hop, item))
            start += len(keys)
        del self._listings[number]
        return rows, -1

    def _begin(self) -> tuple[int, Listed]:
        """Begin a listing, numbered from 1 on; of those that nobody has finished, the oldest is given up."""
        if len(self._listings) >= LISTINGS:
            del self._listings[next(iter(self._listings))]
        self._begun += 1
        listed = self._listings[self._begun] = [(family, [*routes]) for family, routes in self._families.items()]
        return self._begun, listed

    def begin_refresh(self, family: Family) -> None:
        """Note from here on what comes of a family."""
        self._fresh[family] = set()  # not what is stale: that would be a copy of everything at each beginning

    def end_refresh(self, family: Family) -> bool:
        """Forget what has not come since the refresh began (RFC 7313 section 4); False where none is under way."""
        fresh = self._fresh.pop(family, None)
        if fresh is None:
            return False
        routes, items = self._families.get(family, {}), self._items.get(family, {})
        for key in [key for key in routes if key not in fresh]:
            del routes[key]
            items.pop(key, None)
        return True

    def hide(self) -> None:
        """Show nothing of this any more until it comes again; it still counts."""
        for routes in self._families.values():
            routes.update(dict.fromkeys(routes))

    def clear(self) -> None:
        """Forget everything."""
        self._families.clear()
        self._items.clear()
        self._fresh.clear()
        self._listings.clear()
