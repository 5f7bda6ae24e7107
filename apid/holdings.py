"""What neighbors have by a configuration: all its lines of the routes that watchdogs control. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from msgspec import Struct, field

from bgp.family import Family
from bgp.nlri import KEYED_BY_ITEM, route_key
from bus.schema import AppliedConfiguration

Place = tuple[int, int, bytes]  # AFI, SAFI, key of a route
Form = tuple[bytes, bytes]  # attribute set, item


class Lines(Struct):
    """What a configuration says of one route, which it may do several times.

    begins: as what it is announced at first. plain: by lines that no watchdog controls. watched: by watchdog. Each is
    the last of several.
    """

    begins: Form | None = None
    plain: Form | None = None
    watched: dict[str, Form] = field(default_factory=dict)


class Holdings:
    """What the neighbors of a configuration have; those that share its rows have the same."""

    def __init__(self, configuration: AppliedConfiguration) -> None:
        self._routes = {name: changes for names, changes in configuration.routes for name in names}
        self._watched: dict[str, list[tuple[str, list[list[Any]]]]] = {}
        for watchdog, names, changes in configuration.watchdogs:
            for name in names:
                self._watched.setdefault(name, []).append((watchdog, changes))

    def has_watchdogs(self, name: str) -> bool:
        """Whether a watchdog controls any route of a neighbor."""
        return name in self._watched

    def rows(self, name: str) -> tuple[int, ...]:
        """Return what tells the rows of a neighbor from those of others, and its end."""
        watched = (id(changes) for _, changes in self._watched.get(name, ()))
        return id(self._routes.get(name)), *watched, 0

    def places(self, name: str) -> set[Place]:
        """Return the routes of a neighbor that watchdogs control."""
        return {place for _, place, _ in self._controlled(name)}

    def of(self, name: str, places: Collection[Place]) -> dict[Place, Lines]:
        """Return the lines of these routes, where a neighbor has any."""
        found: dict[Place, Lines] = {}
        forms: set[tuple[Place, Form]] = set()
        for watchdog, place, form in self._controlled(name):
            if place in places:
                found.setdefault(place, Lines()).watched[watchdog] = form
                forms.add((place, form))
        for place, form in self._announced(name, places):
            lines = found.setdefault(place, Lines())
            lines.begins = form
            if (place, form) not in forms:
                lines.plain = form
        return found

    def _controlled(self, name: str) -> Iterator[tuple[str, Place, Form]]:
        for watchdog, changes in self._watched.get(name, ()):
            for afi, safi, attributes, items in changes:
                for item in items:
                    yield watchdog, place_of(afi, safi, item), (attributes, item)

    def _announced(self, name: str, places: Collection[Place]) -> Iterator[tuple[Place, Form]]:
        """Iterate over what is announced at first at these places; there may be a million routes beside them."""
        keys: dict[tuple[int, int], set[bytes]] = {}
        for afi, safi, key in places:
            keys.setdefault((afi, safi), set()).add(key)
        for afi, safi, attributes, items in self._routes.get(name, ()):
            wanted = keys.get((afi, safi), set())
            for item in wanted.intersection(items) if safi in KEYED_BY_ITEM else items:
                place = place_of(afi, safi, item)
                if place[2] in wanted:
                    yield place, (attributes, item)


def place_of(afi: int, safi: int, item: bytes) -> Place:
    """Return what identifies a route."""
    return afi, safi, route_key(Family(afi, safi), item)
