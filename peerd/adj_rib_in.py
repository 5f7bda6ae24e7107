"""Adj-RIB-In: what the peer announced and has not withdrawn, as octets, for `show adj-rib in`."""

from __future__ import annotations

from itertools import islice, repeat

from bgp.family import Family
from bgp.update import Update


class AdjRibIn:
    """Routes by family and item, in the order in which they first came."""

    def __init__(self) -> None:
        self._families: dict[Family, dict[bytes, tuple[bytes, bytes]]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._families.values()))

    def take(self, update: Update) -> None:
        """Apply an UPDATE."""
        for withdrawn in update.withdrawn:
            routes = self._families.get(withdrawn.family)
            if routes:
                for item in withdrawn.items:
                    routes.pop(item, None)
        for reach in update.announced:
            routes = self._families.setdefault(reach.family, {})
            routes.update(zip(reach.items, repeat((update.attributes.octets, reach.next_hop)), strict=False))

    def counts(self) -> dict[Family, int]:
        """Return how many routes each family has."""
        return {family: len(routes) for family, routes in self._families.items()}

    def page(self, after: int, limit: int) -> list[tuple[Family, bytes, bytes, bytes]]:
        """Return up to `limit` routes after the first `after`: (family, attribute octets, next hop, item)."""
        routes = (
            (family, attributes, next_hop, item)
            for family, each in self._families.items()
            for item, (attributes, next_hop) in each.items()
        )
        return list(islice(routes, after, after + limit))

    def clear(self) -> None:
        """Forget everything."""
        self._families.clear()
