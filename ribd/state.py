"""What ribd knows, as a value that requests change and snapshots store: deterministic, without sockets or files.

Replaying the same requests in the same order gives the same routes with the same versions; the journal depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgpack
from msgspec import Struct, field

from bgp.family import IPV4_UNICAST, Family
from bgp.nlri import KEYED_BY_ITEM, route_key
from bgp.route import check_set
from bus.names import address_of, neighbor_of
from bus.schema import (
    ANNOUNCE,
    LONGEST_LEASE,
    REPLACE,
    REPLACE_FORM,
    Apply,
    Clear,
    Enrol,
    Forget,
    Message,
    shown,
)
from ribd.journal import RECORD_LIMIT
from ribd.lease import CLIENT
from ribd.limit import CONFIGURATION
from ribd.rib import Rib
from ribd.table import Entry, FamilyTable, Table, Withdrawn

ROWS = 4096  # entries or leases in a snapshot record at most
ITEM_OCTETS = 4101  # path identifier, and a FlowSpec rule of the greatest length (RFC 8955 section 4.1)
REFUSED_KEPT = 256  # refused requests remembered for each client: more than it may have outstanding
FORMER_KEPT = 64  # former lives remembered for each client
APART = 1024  # sessions of a range that may be addressed alone
CLIENTS = 4096  # bridges and control; more names are not remembered
NAME_LENGTH = 256  # characters of a client's name, and of its epoch


Request = Apply | Enrol | Clear | Forget  # what the journal holds


class RequestError(ValueError):
    """A request that must not be journalled: it would not make sense on replay either."""


class Outcome(Struct):
    """What a request did: tables that changed and how many routes."""

    tables: list[Table] = field(default_factory=list)
    announced: int = 0
    withdrawn: int = 0
    enrolled: bool = False
    leased: bool = False


class Client(Struct):
    """Which requests of a client are in force: all up to `sequence` but those that were refused."""

    epoch: str
    sequence: int = 0
    refused: list[int] = field(default_factory=list)
    former: list[str] = field(default_factory=list)  # epochs of lives that are over

    def has(self, sequence: int) -> bool:
        """Whether a request was carried out."""
        return sequence <= self.sequence and sequence not in self.refused

    def take(self, sequence: int) -> None:
        """Note a request as carried out; numbers that were skipped belong to refused ones."""
        if sequence > self.sequence:
            gap = range(max(self.sequence + 1, sequence - REFUSED_KEPT), sequence)
            self.refused = [*self.refused, *gap][-REFUSED_KEPT:]
            self.sequence = sequence
        elif sequence in self.refused:
            self.refused.remove(sequence)


class State:
    """The RIB, who has asked for what so far, and the lineage of its versions."""

    def __init__(self, lineage: str) -> None:
        self.lineage = lineage
        self.rib = Rib()
        self.clients: dict[str, Client] = {}

    def lineage_of(self, name: str) -> str:
        """Return the lineage of the versions of a neighbor's, or session's, table."""
        return f"{self.lineage}/{self.rib.born.get(neighbor_of(name), 0)}"

    def seen(self, request: Request) -> bool:
        """Whether this request is in force already."""
        client = self.clients.get(request.client)
        return client is not None and client.epoch == request.epoch and client.has(request.sequence)

    def begins(self, request: Request) -> bool:
        """Whether this request is the first of a client's life."""
        client = self.clients.get(request.client)
        return client is None or client.epoch != request.epoch

    def stranger(self, client: str, epoch: str) -> str:
        """Return why nobody of this name and epoch may ask for anything, or nothing.

        What a dead bridge has left on the way must not undo what its successor has asked for since.
        """
        known = self.clients.get(client)
        if known is not None and epoch in known.former:
            return f"{client:.40} of epoch {epoch:.40} was replaced by epoch {known.epoch:.40}"
        if max(len(client), len(epoch)) > NAME_LENGTH:
            return f"a name of {len(client)}, an epoch of {len(epoch)} characters: at most {NAME_LENGTH} expected"
        if known is None and len(self.clients) >= CLIENTS:
            return f"{client:.40} is one client more than {CLIENTS}"
        return ""

    def check(self, request: Message) -> None:
        """Raise `RequestError` where a field's value could harm us now or on replay."""
        if isinstance(request, Enrol):
            self._check_limits(request.flow_limits)
        if not isinstance(request, Apply):
            return
        self._check_sessions(request)
        for change in request.changes:
            if len(change) not in (6, 7):
                raise RequestError(f"a change has 6 fields, or 7 with a lease or a former form, not {len(change)}")
            target, announce, afi, safi, attributes, items, *more = change
            if announce == REPLACE_FORM:
                if not more or type(more[0]) is not bytes:
                    raise RequestError(f"a former form is an attribute set: {shown(more)}")
            elif more and (type(more[0]) is not int or not 0 < more[0] <= LONGEST_LEASE or announce != ANNOUNCE):
                raise RequestError(f"a lease is of an announcement, 1 to {LONGEST_LEASE} seconds: {shown(more[0])}")
            if type(target) is not int or not 0 <= target < len(request.targets):
                raise RequestError(f"target {shown(target)} is not an index into {len(request.targets)} targets")
            if type(announce) is not int or not 0 <= announce <= REPLACE_FORM:
                raise RequestError(f"a change withdraws (0, 2, 4) or announces (1, 3, 5), not {shown(announce)}")
            if type(afi) is not int or type(safi) is not int:
                raise RequestError(f"AFI {shown(afi)}, SAFI {shown(safi)}: numbers expected")
            if not 0 <= afi <= 0xFFFF or not 0 <= safi <= 0xFF:
                raise RequestError(f"AFI {afi} or SAFI {safi} is out of range")
            self._check_octets(attributes, items)
            if safi not in KEYED_BY_ITEM:
                self._check_keys(Family(afi, safi), items)

    def _check_limits(self, limits: dict[str, Any]) -> None:
        for name, limit in limits.items():
            if type(limit) is not int or limit < 0:
                raise RequestError(f"the flow-limit of {name:.40} is a number of rules, not {shown(limit)}")

    def _check_sessions(self, request: Apply) -> None:
        """Bound the number of a range's sessions that have a table apart: each is a copy of the range's."""
        apart: dict[str, set[str]] = {}
        for name in {name for names in request.targets for name in names if address_of(name)}:
            neighbor = neighbor_of(name)
            sessions = apart.setdefault(neighbor, set(self.rib.apart.get(neighbor, ())))
            if len(sessions) >= APART and name not in sessions:
                raise RequestError(f"{neighbor} has {APART} addresses with routes of their own: no more fit")
            sessions.add(name)

    def _check_keys(self, family: Family, items: list[bytes]) -> None:
        try:
            for item in items:
                route_key(family, item)
        except ValueError as error:
            raise RequestError(f"not a route of {family}: {error}") from error

    def _check_octets(self, attributes: Any, items: Any) -> None:
        if type(items) is not list or not items:
            raise RequestError("items must be a list, and not empty")
        for item in items:
            if type(item) is not bytes or not 5 <= len(item) <= ITEM_OCTETS:
                raise RequestError(f"an item has 4 octets of path identifier and 1 to 4097 of NLRI: {shown(item)}")
        if type(attributes) is not bytes:
            raise RequestError(f"an attribute set is octets, not {type(attributes).__name__}")
        if attributes and not self.rib.known(attributes):
            try:
                check_set(attributes)
            except ValueError as error:
                raise RequestError(f"not an attribute set: {error}") from error
            self.rib.intern(attributes)

    def perform(self, request: Request, now: float) -> Outcome:
        """Carry out a request that was checked and journalled; its leases begin `now`."""
        client = self.clients.get(request.client)
        if client is None or client.epoch != request.epoch:
            former = [] if client is None else [*client.former, client.epoch]
            former = [epoch for epoch in former if epoch != request.epoch][-FORMER_KEPT:]
            client = self.clients[request.client] = Client(request.epoch, former=former)
        client.take(request.sequence)
        if isinstance(request, Enrol):
            self.rib.enrol(request.neighbors, request.forgetful)
            self.rib.flow_limits = request.flow_limits
            return Outcome(tables=self.rib.tables(), enrolled=True)
        if isinstance(request, Clear):
            withdrawn = self.rib.clear(request.neighbors)
            return Outcome(tables=self.rib.addressed(request.neighbors), withdrawn=withdrawn)
        if isinstance(request, Forget):
            self.rib.forget(request.neighbor, request.sent)
            return Outcome()
        return self._apply(request, now)

    def _apply(self, request: Apply, now: float) -> Outcome:
        outcome = Outcome()
        # Leases end table by table: those of a range's sessions apart have leases of their own.
        tables = self.rib.held_by if request.client == CLIENT else self.rib.addressed
        addressed = self._still_there(request)
        for names in addressed:
            tables(names)
        # Looked up after all splits: a later target may have split a table that an earlier one had.
        targets = [tables(names) for names in addressed]
        change, configured = self.rib.change, request.client == CONFIGURATION
        family = IPV4_UNICAST  # of the last change: made anew only where the next one has another
        for target, announce, afi, safi, attributes, items, *more in request.changes:
            former = more[0] if announce == REPLACE_FORM else None
            lease = more[0] if announce == ANNOUNCE and more else 0
            if family.afi != afi or family.safi != safi:
                family = Family(afi, safi)
            changed = change(targets[target], announce, family, attributes, items, configured, lease, now, former)
            if lease:
                outcome.leased = True
            if announce in (ANNOUNCE, REPLACE, REPLACE_FORM):
                outcome.announced += changed
            else:
                outcome.withdrawn += changed
        outcome.tables = list({id(table): table for tables in targets for table in tables}.values())
        return outcome

    def _still_there(self, request: Apply) -> list[list[str]]:
        """Return whom a request is for, but for those that a command addresses because its bridge is yet to hear.

        They have no routes any more, and must have none of before where the configuration brings them back.
        """
        gone = self.rib.gone
        if not gone or not request.after_configuration:
            return request.targets
        return [[name for name in names if neighbor_of(name) not in gone] for names in request.targets]

    def snapshot(self) -> Iterator[bytes]:
        """Yield the records of a snapshot: a head, tables with their rows, and an end that proves completeness."""
        pack = msgpack.packb
        rib = self.rib
        known = [
            sorted(rib.enrolled),
            rib.flow_limits,
            rib.enrolments,
            rib.born,
            sorted(rib.forgetful),
            sorted(rib.gone),
        ]
        yield pack(["head", self.lineage, _clients(self.clients), *known])
        for table in self.rib.tables():
            yield pack(["table", sorted(table.members)])
            for family, routes in table.families.items():
                yield pack(["family", *family, routes.version, routes.purged])
                yield from _records([*routes.entries.values()], lambda rows: pack(["rows", *_rows(rows)]))
                yield from _records([*routes.leases.seconds.items()], lambda leases: pack(["leases", leases]))
        yield pack(["end"])


def _records(rows: list[Any], record: Callable[[list[Any]], bytes]) -> Iterator[bytes]:
    """Yield records of these rows, each of which the journal can read again."""
    for start in range(0, len(rows), ROWS):
        yield from _halved(rows[start : start + ROWS], record)


def _halved(rows: list[Any], record: Callable[[list[Any]], bytes]) -> Iterator[bytes]:
    octets = record(rows)
    if len(octets) <= RECORD_LIMIT:
        yield octets
        return
    half = len(rows) // 2
    yield from _halved(rows[:half], record)
    yield from _halved(rows[half:], record)


def _clients(clients: dict[str, Client]) -> dict[str, list[Any]]:
    return {name: [client.epoch, client.sequence, client.refused, client.former] for name, client in clients.items()}


def _rows(entries: Iterable[Entry]) -> tuple[list[bytes | Withdrawn], list[Any]]:
    """Return the attribute sets of these rows, and flattened for each row its version, index of its set and item.

    msgpack makes a list of a tombstone, by which it is recognised when it is read.
    """
    index: dict[bytes | Withdrawn, int] = {}
    flat: list[Any] = []
    for version, attributes, item in entries:
        flat += (version, index.setdefault(attributes, len(index)), item)
    return list(index), flat


class Restorer:
    """Rebuild a `State` from journal records, in order; every lease begins anew `now`."""

    def __init__(self, lineage: str, now: float) -> None:
        self.state = State(lineage)
        self._now = now
        self.complete = True  # False where a snapshot broke off before its end
        self._table: Table | None = None
        self._routes: FamilyTable | None = None

    def snapshot(self, record: bytes) -> None:
        """Take one record of a snapshot."""
        kind, *fields = msgpack.unpackb(record)
        state = self.state
        if kind == "head":
            self.complete = False
            state.lineage = fields[0]
            state.clients = {name: Client(*client) for name, client in fields[1].items()}
            state.rib.enrolled = set(fields[2])
            # A snapshot of an earlier release is without the last ones.
            known = [*fields[3:], *({}, 0, {}, [], [])[len(fields) - 3 :]]
            state.rib.flow_limits, state.rib.enrolments, state.rib.born, forgetful, gone = known
            state.rib.forgetful, state.rib.gone = set(forgetful), set(gone)
        elif kind == "table":
            self._table = Table(fields[0])
            state.rib.place(self._table)
        elif kind == "family" and self._table is not None:
            self._routes = self._table.family(Family(fields[0], fields[1]))
            self._routes.version, self._routes.purged = fields[2], fields[3]
            self._table.clock.version = max(self._table.clock.version, fields[2])
        elif kind == "rows" and self._routes is not None:
            self._rows(self._routes, fields[0], fields[1])
        elif kind == "leases" and self._routes is not None:
            for key, seconds in fields[0]:
                self._routes.leases.begin((key,), seconds, self._now)
        elif kind == "end":
            self.complete = True

    def salvage(self) -> State:
        """Return what could be read of a damaged journal.

        Neighbors whose table is lost get an empty one. Which requests were carried out is forgotten: those that come
        again are to be carried out again, because what they did may be lost.
        """
        self.state.rib.create(self.state.rib.enrolled)
        self.state.clients = {}
        return self.state

    def _rows(self, routes: FamilyTable, sets: list[bytes | list[bytes]], flat: list[Any]) -> None:
        intern = self.state.rib.intern
        interned = [Withdrawn(*octets) if isinstance(octets, list) else intern(octets) for octets in sets]
        entries = routes.entries
        for place in range(0, len(flat), 3):
            attributes, item = interned[flat[place + 1]], flat[place + 2]
            entries[routes.key(item)] = (flat[place], attributes, item)
            routes.tombstones += isinstance(attributes, Withdrawn)
