"""What a reload changes: the routes to withdraw and to announce between two compiled configurations. Pure."""

from __future__ import annotations

from typing import Any

from bgp.family import Family
from bgp.nlri import route_key
from bus.schema import WITHDRAW_ANNOUNCED, AppliedConfiguration

Routes = dict[tuple[int, int, bytes], tuple[bytes, bytes]]  # (AFI, SAFI, key) -> attribute set, item
Change = tuple[list[str], int, int, int, bytes, list[bytes]]  # neighbors, announce, AFI, SAFI, attribute set, items
Forms = set[tuple[int, int, bytes, bytes]]  # (AFI, SAFI, attribute set, item)


def changes_between(old: AppliedConfiguration, new: AppliedConfiguration) -> list[Change]:
    """Return all changes, those included of routes that a watchdog of the old one may have announced."""
    return [*_unwatched(old, new), *difference(old.routes, new.routes, new.neighbors)]


def _unwatched(old: AppliedConfiguration, new: AppliedConfiguration) -> list[Change]:
    """Withdraw what no watchdog controls any more in the form that it had; whether it is announced, ribd knows."""
    before, after, announced = _watched(old), _watched(new), _by_neighbor(new.routes)
    none: Forms = set()
    changes: list[Change] = []
    for name in new.neighbors:
        if not (gone := before.get(name, none) - after.get(name, none)):
            continue
        kept = _expanded(announced.get(name, []))
        withdraw: dict[tuple[int, int], list[bytes]] = {}
        for afi, safi, _, item in sorted(gone):
            if (afi, safi, route_key(Family(afi, safi), item)) not in kept:
                withdraw.setdefault((afi, safi), []).append(item)
        changes += [([name], WITHDRAW_ANNOUNCED, afi, safi, b"", items) for (afi, safi), items in withdraw.items()]
    return changes


def _watched(configuration: AppliedConfiguration) -> dict[str, Forms]:
    """Return the forms of routes that watchdogs control, by neighbor."""
    watched: dict[str, Forms] = {}
    for _, names, changes in configuration.watchdogs:
        forms = {(afi, safi, attributes, item) for afi, safi, attributes, items in changes for item in items}
        for name in names:
            watched[name] = watched.get(name, set()) | forms
    return watched


def difference(old: list[list[Any]], new: list[list[Any]], neighbors: list[str]) -> list[Change]:
    """Return the changes for the neighbors of the new configuration; one that is gone needs none.

    `old` and `new` are `[neighbor names, changes]` as in `AppliedConfiguration.routes`. A route whose attributes
    changed is announced, never withdrawn first.
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
            changes += _changes(names, was, becomes)
    return changes


def _by_neighbor(routes: list[list[Any]]) -> dict[str, list[list[Any]]]:
    return {name: changes for names, changes in routes for name in names}


def _changes(names: list[str], was: list[list[Any]], becomes: list[list[Any]]) -> list[Change]:
    if not was:  # all of it, in its order, routes that it holds twice included
        return [(names, 1, afi, safi, attributes, items) for afi, safi, attributes, items in becomes]
    old, new = _expanded(was), _expanded(becomes)
    withdraw: dict[tuple[int, int], list[bytes]] = {}
    for (afi, safi, key), (_, item) in old.items():
        if (afi, safi, key) not in new:
            withdraw.setdefault((afi, safi), []).append(item)
    announce: dict[tuple[int, int, bytes], list[bytes]] = {}
    for place, (attributes, item) in new.items():
        if old.get(place) != (attributes, item):
            announce.setdefault((place[0], place[1], attributes), []).append(item)
    changes: list[Change] = [(names, 0, afi, safi, b"", items) for (afi, safi), items in withdraw.items()]
    return changes + [(names, 1, afi, safi, octets, items) for (afi, safi, octets), items in announce.items()]


def _expanded(changes: list[list[Any]]) -> Routes:
    return {
        (afi, safi, route_key(Family(afi, safi), item)): (attributes, item)
        for afi, safi, attributes, items in changes
        for item in items
    }
