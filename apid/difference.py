"""What a reload changes: the routes to withdraw and to announce between two compiled configurations. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from apid.holdings import Form, Holdings, Lines, Place, place_of
from bus.schema import ANNOUNCE, REPLACE, REPLACE_FORM, WITHDRAW_FORM, AppliedConfiguration

Routes = dict[Place, Form]
# Neighbors, announce, AFI, SAFI, attribute set, items; for REPLACE_FORM also the former attribute set.
Change = tuple[list[str], int, int, int, bytes, list[bytes], *tuple[bytes, ...]]
Move = tuple[int, Form, *tuple[bytes, ...]]  # announce, form, and the former attribute set likewise


def changes_between(old: AppliedConfiguration, new: AppliedConfiguration) -> list[Change]:
    """Return all changes.

    What a watchdog gives, in both, stays announced or withdrawn, as ribd has it. A neighbor that is forgetful no longer
    is announced all its routes again, for ribd to keep.
    """
    before, after = Holdings(old), Holdings(new)
    forgot = set(old.forgetful).difference(new.forgetful)
    groups: dict[tuple[int, ...], list[str]] = {}
    for name in new.neighbors:
        watched = before.has_watchdogs(name) or after.has_watchdogs(name)
        groups.setdefault((*before.rows(name), *after.rows(name)) if watched else (), []).append(name)
    changes: list[Change] = []
    for rows, names in groups.items():
        places = before.places(names[0]) | after.places(names[0]) if rows else set()
        was, becomes = before.of(names[0], places), after.of(names[0], places)
        changes += _grouped(names, {place: _moves(was[place], becomes.get(place, Lines())) for place in was})
        changes += difference(old.routes, new.routes, names, was.keys())
        changes += difference([], new.routes, [name for name in names if name in forgot], was.keys())
    return changes


def _moves(old: Lines, new: Lines) -> Iterator[Move]:
    """Return what becomes of a route that a watchdog controls, or did: that depends on the line that it stands by.

    A line that is new takes its place. Without one, the changed form of a line is announced where the former one is,
    and what a line gave that is gone goes back to what the configuration announces at first.
    """
    added = [form for watchdog, form in new.watched.items() if watchdog not in old.watched]
    gone = [form for watchdog, form in old.watched.items() if watchdog not in new.watched]
    pairs = [(form, new.watched[watchdog]) for watchdog, form in old.watched.items() if watchdog in new.watched]
    if len(gone) == len(added) == 1:
        pairs.append((gone.pop(), added.pop()))  # the line of another watchdog now
    if new.begins is not None and (new.begins in added or (new.begins == new.plain != old.plain)):
        yield ANNOUNCE, new.begins
        return
    if old.plain is not None and new.plain is not None:
        pairs.append((old.plain, new.plain))
    elif old.plain is not None:
        gone.append(old.plain)
    for form in gone:
        if new.begins is not None and new.begins != form:
            yield REPLACE_FORM, new.begins, form[0]
        elif new.begins is None and (form == old.plain or form not in new.watched.values()):
            yield WITHDRAW_FORM, form
    alone = len(pairs) == len(old.watched) == len(new.watched) == 1 and old.plain is None and new.plain is None
    changed = [(former, form) for former, form in pairs if former != form]
    for former, form in changed:
        if alone:
            yield REPLACE, form
        elif any(form[0] == other[0] for other, _ in changed if other != former):
            yield WITHDRAW_FORM, former  # it would be taken for that of the other line
        else:
            yield REPLACE_FORM, form, former[0]


def _grouped(names: list[str], moves: Mapping[Place, Iterator[Move]]) -> Iterator[Change]:
    """Return changes with one attribute set each; what is withdrawn comes before what takes another's place."""
    groups: dict[tuple[int, int, int, bytes, tuple[bytes, ...]], list[bytes]] = {}
    for (afi, safi, _), each in sorted(moves.items(), key=lambda move: move[0]):
        for announce, (attributes, item), *former in each:
            groups.setdefault((announce, afi, safi, attributes, tuple(former)), []).append(item)
    for (announce, afi, safi, attributes, form), items in sorted(groups.items(), key=lambda group: group[0][0]):
        yield names, announce, afi, safi, attributes, items, *form


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
    return {place_of(afi, safi, item): (attributes, item) for afi, safi, attributes, items in changes for item in items}
