"""Routes that a watchdog controls: those of the configuration in force, and those that commands announced.

The former are part of the applied configuration; the latter are kept in a file of their own, before the command is
acknowledged. Changes are appended to the file, which is written anew when they have doubled it: a helper may put
thousands of routes under a watchdog one by one. Whether a route is announced now, only ribd knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from apid.control.rivals import Rivals
from apid.holdings import Place as RoutePlace
from apid.holdings import place_of
from bgp.family import Family
from bgp.nlri import route_key
from bus.schema import (
    ANNOUNCE,
    WITHDRAW_ANNOUNCED,
    WITHDRAW_FORM,
    AppliedConfiguration,
    SchemaError,
    WatchdogChanges,
    WatchdogRoutes,
)
from bus.settings import append_settings, read_series, write_settings

APPENDED = 64 * 1024  # octets of changes, at least, after which the file is written anew

Controlled = tuple[list[str], list[list[Any]]]  # neighbor names, changes
Place = tuple[str, int, int, bytes]  # neighbor, AFI, SAFI, route key
Order = tuple[list[str], int, int, int, bytes, list[bytes]]  # neighbors, announce, AFI, SAFI, attribute set, items


class Watchdogs:
    """Routes by watchdog name. `durable`: the file is to survive the host."""

    def __init__(self, path: Path, applied: Callable[[], AppliedConfiguration | None], durable: bool = False) -> None:
        self._path, self._applied, self._durable = path, applied, durable
        self._rivals = Rivals(applied)
        self._announced: dict[str, dict[Place, tuple[bytes, bytes]]] = {}
        self._changes: list[list[Any]] = []  # that the file does not hold yet
        self._stale = True  # the file is to be written anew
        self._whole = self._appended = 0  # octets of the file when it was written anew, and of the changes since
        if path.exists():
            self._load()

    def _load(self) -> None:
        values, complete = read_series(self._path)
        for value in values:
            match value:
                case WatchdogRoutes():
                    rows = [[1, *row] for row in value.routes]
                case WatchdogChanges():
                    rows = value.changes
                case _:
                    raise SchemaError(f"{self._path} holds {type(value).__name__}")
            for added, name, neighbors, changes in rows:
                for afi, safi, attributes, items in changes:
                    if added:
                        self._add(name, neighbors, Family(afi, safi), attributes, items)
                    else:
                        self._remove(name, neighbors, Family(afi, safi), items)
        self._stale = not complete
        self._whole = self._path.stat().st_size

    def _add(self, name: str, neighbors: list[str], family: Family, attributes: bytes, items: Iterable[bytes]) -> None:
        routes = self._announced.setdefault(name, {})
        for item in items:
            key = route_key(family, item)
            for neighbor in neighbors:
                routes[neighbor, *family, key] = attributes, item

    def _remove(self, name: str, neighbors: list[str], family: Family, items: Iterable[bytes]) -> None:
        routes = self._announced.get(name, {})
        for item in items:
            key = route_key(family, item)
            for neighbor in neighbors:
                routes.pop((neighbor, *family, key), None)
        if not routes:
            self._announced.pop(name, None)

    def add(self, name: str, neighbors: list[str], family: Family, attributes: bytes, items: Iterable[bytes]) -> None:
        """Put routes under a watchdog; `save` keeps them."""
        items = list(items)
        self._add(name, neighbors, family, attributes, items)
        self._changes.append([1, name, neighbors, [[*family, attributes, items]]])

    def remove(self, name: str, neighbors: list[str], family: Family, items: Iterable[bytes]) -> None:
        """Take routes from a watchdog; `save` forgets them."""
        items = list(items)
        self._remove(name, neighbors, family, items)
        self._changes.append([0, name, neighbors, [[*family, b"", items]]])

    def save(self) -> None:
        """Write what commands have changed. After an OSError it holds until we end; the next `save` writes it all."""
        changes, self._changes = self._changes, []
        stale, self._stale = self._stale or self._appended > max(APPENDED, self._whole), True
        if stale:
            self._write()
        else:
            self._appended += append_settings(self._path, WatchdogChanges(changes), self._durable)
        self._stale = False

    def _write(self) -> None:
        routes = [
            [name, names, changes] for name in self._announced for names, changes in self._grouped(name, lambda _: True)
        ]
        write_settings(self._path, WatchdogRoutes(routes))
        self._whole, self._appended = self._path.stat().st_size, 0

    def keep(self, neighbors: Iterable[str]) -> None:
        """Forget the routes of commands for all other neighbors, which are gone. OSError as in `save`."""
        there = set(neighbors)
        self._rivals.keep(there)
        gone = {place for routes in self._announced.values() for place in routes if place[0] not in there}
        if not gone:
            return
        left = {
            name: {place: route for place, route in routes.items() if place not in gone}
            for name, routes in self._announced.items()
        }
        self._announced = {name: routes for name, routes in left.items() if routes}
        self._stale = True
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

    def orders(self, name: str, announce: bool, neighbors: set[str]) -> Iterator[Order]:
        """Yield what ribd is to be told when a watchdog is announced or withdrawn."""
        commanded: dict[str, list[tuple[str, RoutePlace]]] = {}
        for watchdog, routes in self._announced.items():
            for neighbor, afi, safi, key in routes:
                commanded.setdefault(neighbor, []).append((watchdog, (afi, safi, key)))
        for names, changes in self.find(name, neighbors):
            groups: dict[frozenset[RoutePlace], list[str]] = {}
            for neighbor in names:
                contested = self._rivals.contested(name, announce, neighbor, commanded.get(neighbor, ()))
                groups.setdefault(contested, []).append(neighbor)
            for contested, some in groups.items():
                for order in _orders(announce, changes, contested):
                    yield (some, *order)

    def carried_out(self, name: str, announce: bool, neighbors: set[str]) -> None:
        """Take note that ribd has done all that."""
        applied = self._applied()
        if name in self._announced or any(name == row[0] for row in (applied.watchdogs if applied is not None else ())):
            self._rivals.note(name, announce, neighbors)


def _orders(
    announce: bool, changes: list[list[Any]], contested: frozenset[RoutePlace]
) -> Iterator[tuple[int, int, int, bytes, list[bytes]]]:
    for afi, safi, attributes, items in changes:
        shared = [item for item in items if contested and place_of(afi, safi, item) in contested]
        alone = [item for item in items if not contested or place_of(afi, safi, item) not in contested]
        if alone:
            yield (ANNOUNCE, afi, safi, attributes, alone) if announce else (WITHDRAW_ANNOUNCED, afi, safi, b"", alone)
        if shared and not announce:
            yield WITHDRAW_FORM, afi, safi, attributes, shared
