"""ribd on the bus: requests in, acknowledgements and batches out.

Requests that arrive in one turn of the loop are journalled with one write, and only then applied, sent to peers and
acknowledged: nothing is on the wire that the journal does not hold.
"""

from __future__ import annotations

import gc
import logging
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from bgp.family import Family
from bgp.shape import Shape
from bus.daemon import RunDirectory, collect_garbage_rarely
from bus.loop import Loop
from bus.names import address_of, neighbor_of
from bus.schema import (
    Applied,
    Apply,
    Batch,
    Clear,
    CountRoutes,
    Enrol,
    Forget,
    Lineage,
    ListRoutes,
    Message,
    Pull,
    Refused,
    Resync,
    RouteCounts,
    SchemaError,
    Sync,
    pack,
    unpack,
)
from bus.transport import Publisher, Server
from ribd.forgetting import Forgetting
from ribd.group import UpdateGroup
from ribd.journal import Damage, Journal, new_lineage
from ribd.lapse import Lapses
from ribd.lease import CLIENT
from ribd.limit import depends, refusal
from ribd.listing import Listings
from ribd.serving import NotRemembered, next_batch
from ribd.state import Outcome, Request, RequestError, Restorer, State
from ribd.sync import Syncs
from ribd.table import Table
from ribd.turns import Turns

HOUSEKEEPING = 5.0  # seconds between looks at tombstones, journal and counters
SETTLED = 60.0  # seconds after our start in which the cursors of live sessions may still come
HELD = 1024  # requests that wait until it is known which neighbors there are


class Session(Struct):
    """A session that waits for, or was last sent, a batch."""

    identity: bytes
    pull: Pull
    shape: Shape
    told: set[Family]  # families that it was told that it cannot carry
    waiting: bool = True

    @property
    def name(self) -> str:
        """Its name: that of its neighbor, or of one session of a range."""
        return self.pull.neighbor


class RibServer:
    """The RIB and its clients."""

    def __init__(self, loop: Loop, run: RunDirectory, epoch: str, log: logging.Logger, durable: bool = False) -> None:
        self._loop, self._log = loop, log
        self._journal = Journal(run.journal, durable)
        self._state = self._recover()
        self._sessions: dict[str, Session] = {}
        self._of_range: dict[str, set[str]] = {}  # the names of a range's sessions
        self._groups: dict[Table, dict[Shape, UpdateGroup]] = {}
        self._known: set[str] = set()  # neighbors that were sent a table in our life
        self._pending: list[tuple[bytes | None, Request, bytes]] = []  # nobody is told of our own requests
        self._held: list[tuple[bytes, Request, bytes]] = []  # until it is known which neighbors there are
        self._refusing = False
        self._turns = Turns()
        self._started = loop.now()
        self._publisher = Publisher(loop, run.events_in, "ribd", epoch)
        self._server = Server(loop, run.ribd, self._message, self._bad)
        self._listings = Listings()
        self._syncs = Syncs(loop, self._server.send)
        self._lapses = Lapses(loop, self._state.rib, epoch, self._submit_own, self._commit)
        self._forgetting = Forgetting(self._state, epoch, self._submit_own, self._commit)
        loop.call_later(HOUSEKEEPING, self._housekeep)
        self._lapses.look_later()

    def _recover(self) -> State:
        damage: list[Damage] = []
        restorer = Restorer(new_lineage(), self._loop.now())
        count = 0
        for kind, record in self._journal.recover(damage):
            if kind == "snapshot":
                restorer.snapshot(record)
            else:
                self._replay(restorer.state, record)
            count += 1
        restorer.state.rib.recovered()
        for harm in damage:
            self._log.warning("journal %s", harm)
        if all(harm.torn for harm in damage) and restorer.complete and count:
            self._journal.open(damage)
        else:
            # Sessions may have been sent what is lost, so their cursors must not be taken for valid.
            restorer.salvage().lineage = new_lineage()
            self._journal.start_over(restorer.state.snapshot())
        gc.collect()
        collect_garbage_rarely()
        routes = sum(len(family) for table in restorer.state.rib.tables() for family in table.families.values())
        self._log.info("journal read records=%d routes=%d lineage=%s", count, routes, restorer.state.lineage)
        return restorer.state

    def _replay(self, state: State, record: bytes) -> None:
        try:
            request = unpack(record)
        except SchemaError as error:
            self._log.error("journal record skipped: %s", error)
            return
        if isinstance(request, Request):
            state.perform(request, self._loop.now())

    def _bad(self, reason: str) -> None:
        self._log.warning("bad message refused: %s", reason)
        self._publisher.publish("bad/ribd", {"reason": reason, "count": self._server.bad})

    def _message(self, identity: bytes, message: Message, octets: bytes) -> None:
        if isinstance(message, Apply | Enrol | Clear | Sync) and not self._in_turn(identity, message):
            return
        match message:
            case Apply() | Enrol() | Clear():
                self._request(identity, message, octets)
            case Pull():
                self._pull(identity, message)
            case ListRoutes():
                table = self._state.rib.table(message.neighbor)
                self._server.send(identity, self._listings.page(identity, message, table, self._loop.now()))
            case Sync():
                self._sync(identity, message)
            case CountRoutes():
                tables = (self._state.rib.table(name) for name in message.neighbors)
                counts = [0 if table is None else sum(map(len, table.families.values())) for table in tables]
                self._server.send(identity, RouteCounts(message.request, counts))
            case Lineage():
                self._server.send(identity, Lineage(self._state.lineage))
            case _:
                self._server.reject(f"{type(message).__name__} is not for ribd")

    def _in_turn(self, identity: bytes, request: Request | Sync) -> bool:
        """Whether a request is of its client's present life, and the next one or a repetition; else refuse it."""
        fault = self._state.stranger(request.client, request.epoch) or self._turns.fault(request)
        if fault:
            self._server.reject(fault)
            self._server.send(identity, Refused(request.sequence, fault, request.epoch))
        return not fault

    def _request(self, identity: bytes, request: Request, octets: bytes) -> None:
        try:
            self._state.check(request)
        except RequestError as error:
            self._server.reject(str(error))
            self._server.send(identity, Refused(request.sequence, str(error), request.epoch))
            return
        if self._must_wait(request):
            self._hold(identity, request, octets)
            return
        if isinstance(request, Apply) and depends(self._state.rib, request):
            self._commit()  # what came before decides
            if not self._state.seen(request) and (reason := refusal(self._state.rib, request)):
                self._server.send(identity, Refused(request.sequence, reason, request.epoch))
                return
        self._submit(identity, request, octets)
        if self._state.begins(request):
            self._commit()  # at once: late requests of its former life must find that one replaced

    def _must_wait(self, request: Request) -> bool:
        """Whether a request follows the configuration, which is not here; what its client asks for later waits, too."""
        if self._state.rib.enrolled or isinstance(request, Enrol):
            return False
        follows = isinstance(request, Apply) and request.after_configuration
        return follows or any(held.client == request.client for _, held, _ in self._held)

    def _hold(self, identity: bytes, request: Request, octets: bytes) -> None:
        if len(self._held) < HELD:
            self._held.append((identity, request, octets))
        else:
            reason = f"{HELD} requests wait for the configuration already"
            self._server.send(identity, Refused(request.sequence, reason, request.epoch))

    def _submit(self, identity: bytes | None, request: Request, octets: bytes) -> None:
        if not self._pending:
            self._loop.call_soon(self._commit)
        self._pending.append((identity, request, octets))

    def _submit_own(self, request: Request) -> None:
        self._submit(None, request, pack(request))

    def _reply(self, identity: bytes | None, message: Message) -> None:
        if identity is not None:
            self._server.send(identity, message)

    def _commit(self) -> None:
        pending, self._pending = self._pending, []
        if not pending:
            return
        new, planned = [], set()
        for identity, request, octets in pending:
            number = (request.client, request.epoch, request.sequence)
            if self._state.seen(request) or number in planned:
                continue
            planned.add(number)
            new.append((identity, request, octets))
        try:
            if new:
                self._journal.append(octets for _, _, octets in new)
        except OSError as error:
            self._refuse(pending, error)
            return
        if self._refusing:
            self._refusing = False
            self._log.info("journal can be written again")
        changed: dict[Table, None] = {}
        for _, request, _ in new:
            outcome = self._state.perform(request, self._loop.now())
            changed.update(dict.fromkeys(outcome.tables))
            self._report(request, outcome)
            if outcome.leased:
                self._lapses.look_later()
        # The sessions first: on a busy machine, whoever gets a message runs at once, in our place.
        for table in changed:
            self._serve(table)
        for identity, request, _ in pending:
            self._reply(identity, Applied(request.sequence, request.epoch))
        if self._held and self._state.rib.enrolled:
            held, self._held = self._held, []
            for identity, request, octets in held:
                self._request(identity, request, octets)
        if self._journal.wants_compaction:
            self._compact()

    def _compact(self) -> None:
        try:
            self._journal.compact(self._state.snapshot())
        except OSError as error:
            self._log.error("journal cannot be compacted, it grows: %s", error)

    def _refuse(self, pending: list[tuple[bytes | None, Request, bytes]], error: OSError) -> None:
        if not self._refusing:
            self._log.error("journal cannot be written, new commands are refused: %s", error)
        self._refusing = True
        for identity, request, _ in pending:
            if self._state.seen(request):
                self._reply(identity, Applied(request.sequence, request.epoch))
            else:
                reason = f"the journal cannot be written: {error}"
                self._reply(identity, Refused(request.sequence, reason, request.epoch))

    def _report(self, request: Request, outcome: Outcome) -> None:
        if outcome.enrolled:
            self._known &= self._state.rib.enrolled
            self._log.info("neighbors enrolled count=%d", len(self._state.rib.enrolled))
            self._groups = {table: self._groups.get(table, {}) for table in outcome.tables}
        if request.client == CLIENT and isinstance(request, Apply):
            names = ",".join(request.targets[0][:20])
            self._log.info("leases ended neighbors=%s routes=%d", names, outcome.withdrawn)
        if not isinstance(request, Forget) and self._publisher.wanted("rib"):
            self._publisher.publish(
                "rib",
                {
                    "client": request.client,
                    "sequence": request.sequence,
                    "announced": outcome.announced,
                    "withdrawn": outcome.withdrawn,
                },
            )

    def _serve(self, table: Table) -> None:
        """Answer the sessions of a table that wait."""
        for session in self._sessions_of(table):
            if session.waiting:
                self._answer(session)

    def _sessions_of(self, table: Table) -> list[Session]:
        """Return the sessions that are sent a table: its neighbors'; of a range, all that have no table apart."""
        apart, names = self._state.rib.apart, set(table.members)
        for name in table.members & self._of_range.keys():
            names |= self._of_range[name] - apart.get(name, set())
        return [self._sessions[name] for name in names & self._sessions.keys()]

    def _pull(self, identity: bytes, pull: Pull) -> None:
        if not pull.cursors:
            self._gone(identity, pull.neighbor)
            return
        known = self._sessions.get(pull.neighbor)
        try:
            if any(len(cursor) != 4 for cursor in pull.cursors):
                raise ValueError("a cursor is AFI, SAFI, position, floor")
            if len(pull.written) not in (0, len(pull.cursors)):
                raise ValueError(f"{len(pull.written)} positions written of {len(pull.cursors)} cursors")
            same = known is not None and known.pull.shape == pull.shape
            shape = known.shape if known is not None and same else Shape.from_wire(pull.shape)
        except ValueError as error:
            self._server.reject(f"Pull of {pull.neighbor}: {error}")
            return
        self._syncs.heard(pull)
        self._forget_sent(pull)
        if known is not None and (known.identity, known.pull.request) == (identity, pull.request):
            known.pull = pull
            return
        told = known.told if known is not None and same and pull.lineage else set()
        session = self._sessions[pull.neighbor] = Session(identity, pull, shape, told)
        if address_of(pull.neighbor):
            self._of_range.setdefault(neighbor_of(pull.neighbor), set()).add(pull.neighbor)
        self._answer(session)

    def _forget_sent(self, pull: Pull) -> None:
        """Forget what the session of a forgetful neighbor was sent, octets for one that starts anew included."""
        sent = self._forgetting.heard(pull)
        table = self._state.rib.table(pull.neighbor)
        if sent and table is not None:
            for group in self._groups.get(table, {}).values():
                group.forget(lambda family: sent.get(family, 0))

    def _gone(self, identity: bytes, name: str) -> None:
        """Forget a session; for a range, the sessions of its peerd's former life."""
        for former in [each for each in self._of_range.get(name, ()) if self._sessions[each].identity != identity]:
            self._drop(former)
            self._syncs.gone(former)
        self._drop(name)
        self._syncs.gone(name)

    def _drop(self, name: str) -> None:
        self._sessions.pop(name, None)
        self._of_range.get(neighbor_of(name), set()).discard(name)

    def _answer(self, session: Session) -> None:
        """Send the next batch if there is one, or if the session asks where it stands."""
        pull, rib = session.pull, self._state.rib
        table = rib.table(pull.neighbor)
        if table is None or neighbor_of(pull.neighbor) not in rib.enrolled:
            return
        lineage = self._state.lineage_of(pull.neighbor)
        if pull.lineage not in ("", lineage):
            self._resync(session, "its table is another one")
            return
        try:
            batch = next_batch(pull, self._group(table, session.shape), lineage, pull.neighbor in self._known)
        except NotRemembered as gap:
            self._resync(session, str(gap))
            return
        missing = _not_negotiated(session, table)
        if batch is None and not session.told.issuperset(missing):
            batch = Batch(pull.neighbor, pull.request, lineage, pull.cursors, b"", 0, [])
        if batch is None:
            return
        session.waiting = False
        session.told.update(missing)
        batch.withheld.extend(f"{family} was not negotiated" for family in missing)
        if pull.neighbor in rib.enrolled:
            self._known.add(pull.neighbor)
        self._send(session, batch)

    def _resync(self, session: Session, reason: str) -> None:
        session.waiting = False
        self._log.warning("session starts over neighbor=%s: %s", session.name, reason)
        self._send(session, Resync(session.name, session.pull.request, self._state.lineage_of(session.name), reason))

    def _send(self, session: Session, message: Message) -> None:
        if not self._server.send(session.identity, message):
            # Gone: a new connection comes with a Pull of its own.
            self._drop(session.name)

    def _group(self, table: Table, shape: Shape) -> UpdateGroup:
        groups = self._groups.setdefault(table, {})
        group = groups.get(shape)
        if group is None:
            group = groups[shape] = UpdateGroup(table, shape)
        return group

    def _sync(self, identity: bytes, request: Sync) -> None:
        self._commit()  # what came before it is to be waited for, too

        def pull(name: str) -> Pull | None:
            session = self._sessions.get(name)
            return None if session is None else session.pull

        sessions = [each for name in request.neighbors for each in self._of_range.get(name, ())]
        request = replace(request, neighbors=[*request.neighbors, *sessions])
        self._syncs.add(identity, request, self._state.rib.versions, pull)

    def _housekeep(self) -> None:
        self._loop.call_later(HOUSEKEEPING, self._housekeep)
        finished = self._journal.reap()
        if finished is not None:
            self._log.info("journal compacted") if finished else self._log.error("journal snapshot failed")
        now = self._loop.now()
        self._listings.expire(now)
        if now - self._started < SETTLED:
            return
        for table in self._state.rib.tables():
            for family, routes in table.families.items():
                passed = [_passed(session.pull, family) for session in self._sessions_of(table)]
                routes.purge(min(passed, default=routes.version))
        self._state.rib.sweep_sets()
        for table in self._groups.keys() - set(self._state.rib.tables()):
            del self._groups[table]
        for table, groups in self._groups.items():
            pulls: dict[Shape, list[Pull]] = {}
            for session in self._sessions_of(table):
                pulls.setdefault(session.shape, []).append(session.pull)
            for shape in groups.keys() - pulls.keys():
                del groups[shape]
            for shape, group in groups.items():
                group.forget(partial(_passed_by_all, pulls[shape]))


def _not_negotiated(session: Session, table: Table) -> list[Family]:
    """Return families that a session's table has routes of, and the session cannot carry."""
    families = session.shape.families
    return [family for family, routes in table.families.items() if family not in families and len(routes)]


def _passed_by_all(pulls: list[Pull], family: Family) -> int:
    return min(_passed(pull, family) for pull in pulls)


def _passed(pull: Pull, family: Family) -> int:
    """Return the version whose withdrawals a session no longer needs."""
    for afi, safi, position, floor in pull.cursors:
        if (afi, safi) == family:
            return int(max(position, floor))
    return 1 << 62
