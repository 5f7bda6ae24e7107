"""What a reload changes: the routes to withdraw and to announce between two compiled configurations. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from bgp.family import Family
from bgp.nlri import route_key
from bus.schema import REPLACE, WITHDRAW_ANNOUNCED, AppliedConfiguration

Place = tuple[int, int, bytes]  # AFI, SAFI, key of a route
Form = tuple[bytes, bytes]  # attribute set, item
Routes = dict[Place, Form]
Watched = dict[str, dict[Place, set[Form]]]  # routes that watchdogs control, by neighbor
Change = tuple[list[str], int, int, int, bytes, list[bytes]]  # neighbors, announce, AFI, SAFI, attribute set, items


def changes_between(old: AppliedConfiguration, new: AppliedConfiguration) -> list[Change]:
    """Return all changes. A route that a watchdog controls in both stays announced or withdrawn, as ribd has it."""
    before, after = _watched(old), _watched(new)
    both = {name: before[name].keys() & after[name].keys() for name in before.keys() & after.keys()}
    routes = difference(old.routes, new.routes, new.neighbors, both)
    return [*_unwatched(before, after, new), *_rewatched(before, after, new.neighbors), *routes]


def _watched(configuration: AppliedConfiguration) -> Watched:
    watched: Watched = {}
    for _, names, changes in configuration.watchdogs:
        for name in names:
            places = watched.setdefault(name, {})
            for afi, safi, attributes, items in changes:
                for item in items:
                    places.setdefault(_place(afi, safi, item), set()).add((attributes, item))
    return watched


def _unwatched(before: Watched, after: Watched, new: AppliedConfiguration) -> list[Change]:
    """Withdraw what no watchdog controls any more; whether it is announced, ribd knows."""
    announced = _by_neighbor(new.routes)
    changes: list[Change] = []
    for name in new.neighbors:
        if not (gone := before.get(name, {}).keys() - after.get(name, {}).keys()):
            continue
        kept = _expanded(announced.get(name, []))
        withdraw: dict[tuple[int, int], list[bytes]] = {}
        for afi, safi, key in sorted(gone - kept.keys()):
            items = sorted(item for _, item in before[name][afi, safi, key])
            withdraw.setdefault((afi, safi), []).extend(items)
        changes += [([name], WITHDRAW_ANNOUNCED, afi, safi, b"", items) for (afi, safi), items in withdraw.items()]
    return changes


def _rewatched(before: Watched, after: Watched, neighbors: list[str]) -> list[Change]:
    """Change the form of what a watchdog controls; whether it is announced, ribd knows."""
    changes: list[Change] = []
    for name in neighbors:
        old, new = before.get(name, {}), after.get(name, {})
        replace: dict[tuple[int, int, bytes], list[bytes]] = {}
        for place in sorted(old.keys() & new.keys()):
            if old[place].isdisjoint(new[place]):
                attributes, item = min(new[place])
                replace.setdefault((place[0], place[1], attributes), []).append(item)
        changes += [([name], REPLACE, afi, safi, octets, items) for (afi, safi, octets), items in replace.items()]
    return changes


def difference(
    old: list[list[Any]],
    new: list[list[Any]],
    neighbors: list[str],
    without: Mapping[str, Set[Place]] = {},
) -> list[Change]:
    """Return the changes for the neighbors of the new configuration; one that is gone needs none.

    `old` and `new` are `[neighbor names, changes]` as in `AppliedConfiguration.routes`. A route whose attributes
    changed is announced, never withdrawn first. What a neighbor has `without` is left as it is.
    """
    before, after = _by_neighbor(old), _by_neighbor(new)
    none: list[list[Any]] = []
    groups: dict[tuple[int, int, frozenset[Place]], list[str]] = {}
    for name in neighbors:
        left = frozenset(without.get(name, ()))
        groups.setdefault((id(before.get(name, none)), id(after.get(name, none)), left), []).append(name)
    changes: list[Change] = []
    for (_, _, left), names in groups.items():
        was, becomes = before.get(names[0], none), after.get(names[0], none)
        if was != becomes:
            changes += _changes(names, was, becomes, left)
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
