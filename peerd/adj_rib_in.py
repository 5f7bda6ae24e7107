"""Adj-RIB-In: what the peer announced and has not withdrawn, as octets, for `show adj-rib in`."""

from __future__ import annotations

from itertools import islice, repeat

from bgp.family import Family
from bgp.nlri import KEYED_BY_ITEM, route_key
from bgp.update import Update


class AdjRibIn:
    """Routes by family and key, in the order in which they first came."""

    def __init__(self) -> None:
        self._families: dict[Family, dict[bytes, tuple[bytes, bytes]]] = {}
        self._items: dict[Family, dict[bytes, bytes]] = {}  # by key, where an item is more than its key

    def __len__(self) -> int:
        return sum(map(len, self._families.values()))

    def take(self, update: Update) -> None:
        """Apply an UPDATE."""
        for withdrawn in update.withdrawn:
            routes = self._families.get(withdrawn.family)
            if routes:
                items = self._items.get(withdrawn.family, {})
                for key in self._keys(withdrawn.family, withdrawn.items):
                    routes.pop(key, None)
                    items.pop(key, None)
        for reach in update.announced:
            keys = self._keys(reach.family, reach.items)
            if keys is not reach.items:
                self._items.setdefault(reach.family, {}).update(zip(keys, reach.items, strict=True))
            routes = self._families.setdefault(reach.family, {})
            routes.update(zip(keys, repeat((update.attributes.octets, reach.next_hop)), strict=False))

    def _keys(self, family: Family, items: list[bytes]) -> list[bytes]:
        """Return what identifies routes: a withdrawal may carry another label than the announcement."""
        return items if family.safi in KEYED_BY_ITEM else [route_key(family, item) for item in items]

    def count(self, family: Family) -> int:
        """Return how many routes a family has."""
        return len(self._families.get(family, ()))

    def counts(self) -> dict[Family, int]:
        """Return how many routes each family has."""
        return {family: len(routes) for family, routes in self._families.items()}

    def page(self, after: int, limit: int) -> list[tuple[Family, bytes, bytes, bytes]]:
        """Return up to `limit` routes after the first `after`: (family, attribute octets, next hop, item)."""
        routes = (
            (family, attributes, next_hop, self._items.get(family, {}).get(key, key))
            for family, each in self._families.items()
            for key, (attributes, next_hop) in each.items()
        )
        return list(islice(routes, after, after + limit))

    def clear(self) -> None:
        """Forget everything."""
        self._families.clear()
        self._items.clear()
