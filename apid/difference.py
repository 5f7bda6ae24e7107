"""What a reload changes: the routes to withdraw and to announce between two compiled configurations. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Any

from bgp.family import Family
from bgp.nlri import route_key
from bus.schema import ANNOUNCE, REPLACE, WITHDRAW_FORM, AppliedConfiguration

Place = tuple[int, int, bytes]  # AFI, SAFI, key of a route
Form = tuple[bytes, bytes]  # attribute set, item
Routes = dict[Place, Form]
Watched = dict[Place, set[Form]]  # the routes that watchdogs control
Change = tuple[list[str], int, int, int, bytes, list[bytes]]  # neighbors, announce, AFI, SAFI, attribute set, items


def changes_between(old: AppliedConfiguration, new: AppliedConfiguration) -> list[Change]:
    """Return all changes.

    A route that nothing but a watchdog gives, in both, stays announced or withdrawn, as ribd has it. A neighbor that is
    forgetful no longer is announced all its routes again, for ribd to keep.
    """
    before, after = _Holdings(old), _Holdings(new)
    forgot = set(old.forgetful).difference(new.forgetful)
    groups: dict[tuple[int, ...], list[str]] = {}
    for name in new.neighbors:
        watched = before.has_watchdogs(name) or after.has_watchdogs(name)
        groups.setdefault((*before.rows(name), *after.rows(name)) if watched else (), []).append(name)
    changes: list[Change] = []
    for rows, names in groups.items():
        kept: set[Place] = set()
        if rows:
            was, becomes = before.of(names[0]), after.of(names[0])
            kept = was.alone() & becomes.alone()
            changes += [*_unwatched(names, was, becomes, kept), *_rewatched(names, was, becomes, kept)]
        changes += difference(old.routes, new.routes, names, kept)
        changes += difference([], new.routes, [name for name in names if name in forgot], kept)
    return changes


@dataclass(frozen=True, slots=True)
class _Holding:
    """What some neighbors have: routes that they are announced at first, and those that watchdogs control."""

    routes: Routes
    watched: Watched

    def alone(self) -> set[Place]:
        """Return the places of which nothing is configured but one form that a watchdog controls."""
        routes = self.routes
        return {
            place for place, forms in self.watched.items() if len(forms) == 1 and routes.get(place) in (None, *forms)
        }


class _Holdings:
    """What the neighbors of a configuration have; those that share its rows have the same."""

    def __init__(self, configuration: AppliedConfiguration) -> None:
        self._routes = _by_neighbor(configuration.routes)
        self._watched: dict[str, list[list[list[Any]]]] = {}
        for _, names, changes in configuration.watchdogs:
            for name in names:
                self._watched.setdefault(name, []).append(changes)

    def has_watchdogs(self, name: str) -> bool:
        """Whether a watchdog controls any route of a neighbor."""
        return name in self._watched

    def rows(self, name: str) -> Iterator[int]:
        """Return what tells the rows of a neighbor from those of others, and its end."""
        yield id(self._routes.get(name))
        yield from map(id, self._watched.get(name, ()))
        yield 0

    def of(self, name: str) -> _Holding:
        """Return what a neighbor has."""
        watched: Watched = {}
        for changes in self._watched.get(name, ()):
            for afi, safi, attributes, items in changes:
                for item in items:
                    watched.setdefault(_place(afi, safi, item), set()).add((attributes, item))
        return _Holding(_expanded(self._routes.get(name, [])), watched)


def _unwatched(names: list[str], was: _Holding, becomes: _Holding, kept: Set[Place]) -> Iterator[Change]:
    """Withdraw forms that no watchdog controls any more, if they are announced; announce what none holds back now."""
    withdraw: dict[tuple[int, int, bytes], list[bytes]] = {}
    for place in sorted(was.watched.keys() - kept - becomes.routes.keys()):
        for attributes, item in sorted(was.watched[place] - becomes.watched.get(place, set())):
            withdraw.setdefault((place[0], place[1], attributes), []).append(item)
    for (afi, safi, attributes), items in withdraw.items():
        yield names, WITHDRAW_FORM, afi, safi, attributes, items
    free = (was.watched.keys() - becomes.watched.keys()) & becomes.routes.keys()
    routes = {place: becomes.routes[place] for place in free}
    yield from _grouped(
        names, ANNOUNCE, {place: form for place, form in routes.items() if was.routes.get(place) == form}
    )


def _rewatched(names: list[str], was: _Holding, becomes: _Holding, kept: Set[Place]) -> Iterator[Change]:
    """Change the form of what a watchdog controls, if it is announced."""
    changed = {place: min(becomes.watched[place]) for place in kept if was.watched[place] != becomes.watched[place]}
    return _grouped(names, REPLACE, changed)


def _grouped(names: list[str], announce: int, routes: Routes) -> Iterator[Change]:
    """Return changes with one attribute set each."""
    groups: dict[tuple[int, int, bytes], list[bytes]] = {}
    for (afi, safi, _), (attributes, item) in sorted(routes.items()):
        groups.setdefault((afi, safi, attributes), []).append(item)
    for (afi, safi, attributes), items in groups.items():
        yield names, announce, afi, safi, attributes, items


def difference(
    old: list[list[Any]], new: list[list[Any]], neighbors: list[str], without: Set[Place] = frozenset()
) -> list[Change]:
    """Return the changes for the neighbors of the new configuration; one that is gone needs none.

    `old` and `new` are `[neighbor names, changes]` as in `AppliedConfiguration.routes`. A route whose attributes
    changed is announced, never withdrawn first. Places in `without` are left as they are.
    """
    before, after = _by_neighbor(old), _by_neighbor(new)
    none: list[list[Any]] = []
    groups: dict[tuple[int, int], list[str]] = {}
    for name in neighbors:
        groups.setdefault((id(before.get(name, none)), id(after.get(name, none))), []).append(name)
    changes: list[Change] = []
    for names in groups.values():
        was, becomes = before.get(names[0], none), after.get(names[0], none)
        if was != becomes:
            changes += _changes(names, was, becomes, without)
    return changes


def _by_neighbor(routes: list[list[Any]]) -> dict[str, list[list[Any]]]:
    return {name: changes for names, changes in routes for name in names}


def _changes(names: list[str], was: list[list[Any]], becomes: list[list[Any]], without: Set[Place]) -> list[Change]:
    if not was and not without:  # all of it, in its order, routes that it holds twice included
        return [(names, 1, afi, safi, attributes, items) for afi, safi, attributes, items in becomes]
    old, new = _expanded(was), _expanded(becomes)
    withdraw: dict[tuple[int, int], list[bytes]] = {}
    for place, (_, item) in old.items():
        if place not in new and place not in without:
            withdraw.setdefault(place[:2], []).append(item)
    announce: dict[tuple[int, int, bytes], list[bytes]] = {}
    for place, (attributes, item) in new.items():
        if old.get(place) != (attributes, item) and place not in without:
            announce.setdefault((place[0], place[1], attributes), []).append(item)
    changes: list[Change] = [(names, 0, afi, safi, b"", items) for (afi, safi), items in withdraw.items()]
    return changes + [(names, 1, afi, safi, octets, items) for (afi, safi, octets), items in announce.items()]


def _expanded(changes: list[list[Any]]) -> Routes:
    return {_place(afi, safi, item): (attributes, item) for afi, safi, attributes, items in changes for item in items}


def _place(afi: int, safi: int, item: bytes) -> Place:
    return afi, safi, route_key(Family(afi, safi), item)
