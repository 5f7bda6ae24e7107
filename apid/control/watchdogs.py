"""Routes that a watchdog controls: those of the configuration in force, and those that commands announced.

The former are part of the applied configuration; the latter are kept in a file of their own, replaced at each change
before the command is acknowledged. Whether a route is announced now, only ribd knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bgp.family import Family
from bgp.nlri import route_key
from bus.schema import AppliedConfiguration, SchemaError, WatchdogRoutes
from bus.settings import read_settings, write_settings

Controlled = tuple[list[str], list[list[Any]]]  # neighbor names, changes
Place = tuple[str, int, int, bytes]  # neighbor, AFI, SAFI, route key


class Watchdogs:
    """Routes by watchdog name."""

    def __init__(self, path: Path, applied: Callable[[], AppliedConfiguration | None]) -> None:
        self._path, self._applied = path, applied
        self._announced: dict[str, dict[Place, tuple[bytes, bytes]]] = {}
        if path.exists():
            self._load(read_settings(path))

    def _load(self, value: object) -> None:
        if not isinstance(value, WatchdogRoutes):
            raise SchemaError(f"{self._path} holds {type(value).__name__}")
        for name, neighbors, changes in value.routes:
            for afi, safi, attributes, items in changes:
                self._add(name, neighbors, Family(afi, safi), attributes, items)

    def _add(self, name: str, neighbors: list[str], family: Family, attributes: bytes, items: Iterable[bytes]) -> None:
        routes = self._announced.setdefault(name, {})
        for item in items:
            key = route_key(family, item)
            for neighbor in neighbors:
                routes[neighbor, *family, key] = attributes, item

    def add(self, name: str, neighbors: list[str], family: Family, attributes: bytes, items: Iterable[bytes]) -> None:
        """Put routes under a watchdog; `save` keeps them."""
        self._add(name, neighbors, family, attributes, items)

    def remove(self, name: str, neighbors: list[str], family: Family, items: Iterable[bytes]) -> None:
        """Take routes from a watchdog; `save` forgets them."""
        routes = self._announced.get(name, {})
        for item in items:
            key = route_key(family, item)
            for neighbor in neighbors:
                routes.pop((neighbor, *family, key), None)
        if not routes:
            self._announced.pop(name, None)

    def save(self) -> None:
        """Write the routes of commands."""
        routes = [
            [name, names, changes] for name in self._announced for names, changes in self._grouped(name, lambda _: True)
        ]
        write_settings(self._path, WatchdogRoutes(routes))

    def keep(self, neighbors: Iterable[str]) -> None:
        """Forget the routes of commands for all other neighbors, which are gone, and their routes with them."""
        there = set(neighbors)
        gone = {place for routes in self._announced.values() for place in routes if place[0] not in there}
        if not gone:
            return
        left = {
            name: {place: route for place, route in routes.items() if place not in gone}
            for name, routes in self._announced.items()
        }
        self._announced = {name: routes for name, routes in left.items() if routes}
        self.save()

    def _grouped(self, name: str, wanted: Callable[[str], bool]) -> list[Controlled]:
        """Return the routes of commands; neighbors with the same ones are addressed together, to share a table."""
        neighbors: dict[str, dict[tuple[int, int, bytes], list[bytes]]] = {}
        for (neighbor, afi, safi, _), (attributes, item) in self._announced.get(name, {}).items():
            if wanted(neighbor):
                neighbors.setdefault(neighbor, {}).setdefault((afi, safi, attributes), []).append(item)
        groups: dict[tuple[tuple[tuple[int, int, bytes], tuple[bytes, ...]], ...], list[str]] = {}
        for neighbor, changes in neighbors.items():
            groups.setdefault(tuple((key, tuple(items)) for key, items in changes.items()), []).append(neighbor)
        return [(names, [[*key, [*items]] for key, items in changes]) for changes, names in groups.items()]

    def find(self, name: str, neighbors: set[str]) -> list[Controlled]:
        """Return the routes of a watchdog for these neighbors."""
        applied = self._applied()
        found: list[Controlled] = []
        for watchdog, names, changes in applied.watchdogs if applied is not None else []:
            wanted = [each for each in names if each in neighbors]
            if watchdog == name and wanted:
                found.append((wanted, changes))
        return found + self._grouped(name, neighbors.__contains__)
