"""Commands that change routes: announcements, withdrawals, watchdogs, clearing."""

from __future__ import annotations

from typing import Any

from apid.control.context import Context
from apid.control.enforce import cut
from apid.control.jobs import Job
from apid.control.neighbors import Known, next_hop_error, none_matches, select, select_configured
from apid.grammar.command import Batch, ClearAdjRib, RouteChange, Sync, Watchdog
from apid.grammar.command_table import SYNC_SECONDS
from apid.grammar.route import RouteEntry
from apid.riblink import MOST_OCTETS, octets_of_names, octets_of_routes
from bus.names import address_of


class Request:
    """Changes for ribd, all or none, and what follows for the watchdogs."""

    def __init__(self) -> None:
        self.targets: list[list[str]] = []
        self.changes: list[list[Any]] = []
        self.announced = self.withdrawn = 0
        self._size = 0  # octets on the bus, roughly
        self.wait = False  # until the peers were sent the routes
        self._watched: list[tuple[bool, list[str], RouteEntry]] = []

    def add(self, neighbors: list[Known], command: RouteChange) -> str:
        """Add a command; return why it cannot be carried out, or nothing."""
        selected = select(neighbors, command.selector)
        if not selected:
            return none_matches(neighbors)
        names = [known.name for known in selected]
        if names not in self.targets:
            self.targets.append(names)
            self._size += octets_of_names(names)
        target = self.targets.index(names)
        for entry in command.entries:
            if command.announce and (error := next_hop_error(selected, entry.family, entry.attributes)):
                return error
            if entry.watchdog is not None and any(map(address_of, names)):
                return "a watchdog controls routes of whole neighbors, not of one address of a range"
            if entry.watchdog is not None:
                self._watched.append((command.announce, names, entry))
            if command.announce and entry.withdrawn:
                continue
            lease = [entry.lease] if entry.lease else []
            self.changes.append(
                [target, int(command.announce), *entry.family, entry.attributes, list(entry.items), *lease],
            )
            self.wait |= bool(command.wait)
            self.announced += len(entry.items) if command.announce else 0
            self.withdrawn += 0 if command.announce else len(entry.items)
            self._size += octets_of_routes(entry.attributes, entry.items)
        if self._size > MOST_OCTETS:
            return f"{self._size} octets of routes in one command, more than the bus carries"
        return ""

    def watch(self, context: Context) -> str:
        """Tell the watchdogs, once ribd has agreed; return why they will not know after a restart, or nothing."""
        for announce, names, entry in self._watched:
            name = entry.watchdog or ""
            if announce:
                context.watchdogs.add(name, names, entry.family, entry.attributes, entry.items)
            else:
                context.watchdogs.remove(name, names, entry.family, entry.items)
        try:
            if self._watched:
                context.watchdogs.save()
        except OSError as error:
            return f"the routes of watchdogs cannot be kept: {error}"
        return ""


def _apply(context: Context, request: Request) -> Job:
    """Have ribd carry out a request; return why it did not, or why peers were not sent it in time."""
    if request.changes and (reason := (yield context.changes.apply(request.targets, request.changes))):
        return str(reason)
    if lost := request.watch(context):
        return f"carried out, but {lost}"
    if request.wait:
        names = sorted({name for target in request.targets for name in target})
        if late := (yield context.changes.sync(names, SYNC_SECONDS)):
            return f"carried out, but {late}"
    return ""


def synchronise(context: Context, neighbors: list[Known], command: Sync) -> Job:
    """Wait until every session has written what it is to be sent."""
    return str((yield context.changes.sync([known.name for known in neighbors], command.seconds)))


def change_routes(context: Context, neighbors: list[Known], commands: tuple[RouteChange, ...]) -> Job:
    """Carry out announcements and withdrawals, all or none."""
    request = Request()
    for command in commands:
        if error := request.add(neighbors, command):
            return error
    if error := (yield from _apply(context, request)):
        return error
    return ""


def change_batch(context: Context, neighbors: list[Known], batch: Batch) -> Job:
    """Carry out several on one line, and say how many routes that were."""
    request = Request()
    for command in batch.commands:
        if error := request.add(neighbors, command):
            return error
    if error := (yield from _apply(context, request)):
        return error
    yield [
        f'{{"status": "group processed", "announced": {request.announced}, "withdrawn": {request.withdrawn}}}',
    ]
    return ""


def watchdog(context: Context, neighbors: list[Known], command: Watchdog, client: str) -> Job:
    """Announce or withdraw all that a watchdog controls; one that nobody knows controls nothing."""
    name = command.name or client
    if not name:
        return "the name of a watchdog is expected"
    selected = select_configured(neighbors, command.selector)
    if not selected:
        return none_matches(neighbors)
    watched = {known.name for known in selected}
    while context.in_force.moving:
        yield context.in_force.settled
    with context.in_force.reading():
        for names, *change, items in context.watchdogs.orders(name, command.announce, watched):
            for part in cut(items):
                if reason := (yield context.changes.apply([names], [[0, *change, part]])):
                    return str(reason)
        context.watchdogs.carried_out(name, command.announce, watched)
    return ""


def clear(context: Context, neighbors: list[Known], command: ClearAdjRib) -> Job:
    """Forget received routes, or withdraw everything that is announced."""
    selected = select(neighbors, command.selector)
    if not selected:
        return none_matches(neighbors)
    if command.direction == "out":
        return str((yield context.changes.clear([known.name for known in selected])))
    replies = yield context.ask(selected, "clear-in")
    missing = [known.name for known, reply in zip(selected, replies, strict=True) if reply is None]
    return f"no answer from {', '.join(missing)}" if missing else ""
