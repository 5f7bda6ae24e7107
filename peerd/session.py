"""One neighbor's session: carries out what the state machine says, with the modules that do a part of it each.

`connections` has the sockets, `sender` and `receiver` the two directions of an established session, `report` what
others are told. No protocol decision is made here. Everything that may be large is bounded: a read is 64 KiB, a batch
from ribd is asked for only while little waits for the socket, a feed is bounded by its subscriber's credit.
"""

from __future__ import annotations

import itertools
import logging
import random
import socket
import time
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from bgp import action as act
from bgp import event as ev
from bgp.family import Family
from bgp.negotiated import Negotiated
from bgp.peer import Peer
from bgp.prefix_limit import PrefixLimit, PrefixLimits
from bgp.refresh import Refresh, RefreshSubtype
from bgp.settings_wire import settings_from_wire
from bus.loop import Loop, Timer
from bus.schema import FEED_TRIED, Batch, Feed, Message, Pull, Resync, Subscribe
from bus.settings import SessionConfiguration
from bus.transport import Delivery, Publisher
from peerd.adj_rib_in import AdjRibIn
from peerd.connections import Connections
from peerd.pace import PacedConnection
from peerd.receiver import Receiver
from peerd.report import Report, context_of
from peerd.sender import Sender

HELPERS_SECONDS = 3.0  # for the bridges to subscribe before a session begins without them
SPEAKERS_SECONDS = 8.0  # for the helpers to have their first moment before routes are sent without what they say in it


class Established:
    """What exists while a session is up."""

    def __init__(self, up: act.Up, sender: Sender, receiver: Receiver) -> None:
        self.connection = up.connection
        self.negotiated: Negotiated = up.negotiated
        self.context = context_of(up)
        self.since = time.time()
        self.sender, self.receiver = sender, receiver
        self.asked: dict[Family, None] = {}  # what the peer has asked for again in this turn of the loop


class Session:
    """The driver of one neighbor."""

    def __init__(
        self,
        loop: Loop,
        configuration: SessionConfiguration,
        to_ribd: Callable[[Message], bool],
        to_bridge: Callable[[bytes, Message], Delivery],
        publisher: Publisher,
        log: logging.Logger,
        on_spent: Callable[[], None],
    ) -> None:
        """Take `on_spent` to call whenever `spent` changes."""
        self.configuration = configuration
        self.name = configuration.name
        self.adj_rib_in = AdjRibIn()
        self._loop, self._log = loop, log
        self._to_ribd, self._to_bridge, self._on_spent = to_ribd, to_bridge, on_spent
        self._peer = Peer(settings_from_wire(configuration.protocol), jitter=random.uniform(0.75, 1.0))
        self._connections = Connections(loop, configuration, self._handle, self._pull)
        self._report = Report(loop, self.name, to_bridge, self._pause_reading, publisher, log)
        self._limits = PrefixLimits(_limit(*fields) for fields in configuration.prefix_limits)
        self._established: Established | None = None
        self._requests = itertools.count(1)  # the numbers of Pulls
        self._awaited = set(configuration.helpers)
        self._unspoken = set(configuration.speakers)  # helpers that the first routes wait for
        self._announcing = set(configuration.announcers)  # helpers that End-of-RIB waits for
        self._early: socket.socket | None = None  # a connection that waits for the session to begin
        self._begun = False
        self._alive: set[int] = set()  # connections that came up and are not Down
        self._timer: Timer | None = None
        self._state = "IDLE"
        self._ended = self._failed = ("", 0.0)  # why a session ended and, since, a connection failed; and when
        self._greeted = False  # a session has been sent all configured OPERATIONAL messages
        self.spent = False  # the attempts to connect are used up, and no connection is left
        self._tried = False  # a first attempt at a session has had its end, or there is none of ours to make
        self._asking: set[bytes] = set()  # bridges that wait for it

    # Begin and end

    def start(self) -> None:
        """Begin to want a session, once every helper that is to hear of it listens or has had its time."""
        if self._unspoken:
            self._loop.call_later(SPEAKERS_SECONDS, self._release_routes)
        if self._announcing:
            self._loop.call_later(self.configuration.end_of_rib_wait, self._announced)
        if self._awaited:
            self._loop.call_later(HELPERS_SECONDS, self._begin)
        else:
            self._begin()

    def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        if self._awaited:
            self._log.warning("session begins without its helpers peer=%s missing=%s", self.name, sorted(self._awaited))
        if self.configuration.shut is None:
            self._handle(ev.Start())
        if self.configuration.shut is not None or self._peer.settings.passive:
            self._note_attempt()
        early, self._early = self._early, None
        if early is not None:
            self.incoming(early)

    def incoming(self, sock: socket.socket) -> None:
        """Take a connection that the listener accepted."""
        if self._begun:
            self._connections.incoming(sock)
        else:
            self._drop_early()  # a peer that dials again has given up the connection before
            self._early = sock

    def _drop_early(self) -> None:
        early, self._early = self._early, None
        if early is not None:
            early.close()

    def stop(self, reason: str = "shutting down", subcode: int = 2, returns: bool = False) -> None:
        """End the session and want none; `returns` says that another one of the neighbor follows."""
        self._begun = True
        self._drop_early()
        self._handle(ev.Stop(reason, subcode=subcode, returns=returns))
        self._report.end()

    def shut(self, communication: str | None) -> None:
        """End the session and refuse new ones, with a shutdown communication (RFC 9003); None: let them be again."""
        self.configuration = replace(self.configuration, shut=communication)
        if communication is not None:
            self._handle(ev.Stop("administratively shut", text=communication))
        elif self._begun:
            self._handle(ev.Start())

    def teardown(self, subcode: int, text: str = "") -> None:
        """End the session; it comes back."""
        self._handle(ev.Teardown(subcode, text))

    def clear_in(self) -> None:
        """Show no more of what was received so far. It still counts, where there are limits: the peer has it up."""
        if self._limits:
            self.adj_rib_in.hide()
        else:
            self.adj_rib_in.clear()

    @property
    def closed(self) -> bool:
        """Whether no connection is left, so that the process may go."""
        return self._connections.none_left

    # The state machine

    def _handle(self, event: ev.PeerEvent) -> None:
        if isinstance(event, ev.Connected):
            self._connected(event.connection)
        elif isinstance(event, ev.ConnectFailed):
            self._connect_failed(event.reason)
        for action in self._peer.handle(event, self._loop.now()):
            self._perform(action)
        self._arm()
        if self.spent != self._peer.spent:
            self._loop.call_soon(self._note_spent)  # an event may come while the actions of another are carried out

    def _note_spent(self) -> None:
        if self.spent == self._peer.spent:
            return
        self.spent = not self.spent
        if self.spent:
            self._log.info("attempts used up peer=%s attempts=%d", self.name, self._peer.settings.attempts)
        self._on_spent()

    def _arm(self) -> None:
        """Have a timer no later than the deadline; one that is early finds nothing to do."""
        deadline = self._peer.deadline()
        if deadline is None:
            return
        if self._timer is not None and self._timer.callback is not None:
            if self._timer.when <= deadline:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._handle(ev.Tick())

    def _perform(self, action: act.Action) -> None:
        match action:
            case act.Deliver():
                self._deliver(action)
            case act.Send():
                self._send(action.connection, action.octets)
            case act.Dial():
                self._connections.dial(action.connection)
            case act.Accept():
                self._accept(action.connection)
            case act.Close():
                self._connections.close(action.connection, action.abort)
            case act.Up():
                self._up(action)
            case act.Down():
                self._down(action)
            case act.Heard():
                self._report.received_message(action.message)
            case act.RefreshReceived():
                self._refresh(action.refresh)
            case act.StateChange():
                self._state = action.state
                self._report.fsm(action.state)
            case act.Opened():
                self._opened(action.connection)

    def _accept(self, handle: int) -> None:
        self._connections.adopt(handle)
        # One that is refused is only told why, and is never up.
        if any(one.connection == handle for one in self._peer.connections):
            self._connected(handle)

    def _connected(self, handle: int) -> None:
        self._alive.add(handle)
        self._report.connected()

    def _connect_failed(self, reason: str) -> None:
        if reason != self._failed[0]:
            self._log.info("connection failed peer=%s reason=%s", self.name, reason)
        self._failed = reason, time.time()
        self._note_attempt()

    def _note_table(self) -> None:
        """The first attempt at a session succeeded once the peer has all that there was to announce."""
        if not self._tried and self._established is not None and self._established.sender.outbound.caught_up:
            self._note_attempt()

    def _note_attempt(self) -> None:
        """Tell whoever waits for the first attempt at a session that it is over."""
        self._tried = True
        asking, self._asking = self._asking, set()
        for identity in asking:
            self._to_bridge(identity, Feed(self.name, 1, 0, [[time.time(), FEED_TRIED, b""]]))

    def _send(self, handle: int, octets: bytes) -> None:
        connection = self._connections.find(handle)
        if connection is not None:
            self._report.sent_message(octets)
            connection.send(octets)

    def _opened(self, handle: int) -> None:
        for connection in self._peer.connections:
            if connection.connection == handle:
                self._report.opened(context_of(connection))

    def _up(self, up: act.Up) -> None:
        connection = self._connections.find(up.connection)
        if connection is None:
            return
        configuration, report, log = self.configuration, self._report, self._log
        hold = bool(self._announcing) and up.negotiated.stale_routes
        rate = configuration.rate_limit
        way = PacedConnection(self._loop, connection, rate) if rate else connection
        sender = Sender(way, up, configuration, self._to_ribd, self._requests, report, log, hold, bool(self._unspoken))
        receiver = Receiver(up.negotiated, configuration, self.adj_rib_in, self._limits, report, log)
        self._established = Established(up, sender, receiver)
        self._failed = ("", 0.0)
        self._log.info(
            "session up peer=%s as=%d hold_time=%d families=%d",
            self.name,
            up.negotiated.peer_as,
            up.negotiated.hold_time,
            len(up.negotiated.families),
        )
        report.up(up, self._established.context)
        sender.greet(configuration.operational, again=self._greeted)
        self._greeted = self._greeted or up.negotiated.operational
        sender.pull()
        self._note_table()

    def _down(self, down: act.Down) -> None:
        established = self._established
        self._log.info("session down peer=%s reason=%s detail=%s", self.name, down.reason, down.detail or "-")
        if established is not None and established.connection == down.connection:
            self._established = None
            self.adj_rib_in.clear()
            self._forget_routes()
        self._alive.discard(down.connection)
        self._report.forget_opened()
        if not down.established and self._alive:
            return  # the loser of a collision: the neighbor is not down
        self._ended, self._failed = (down.reason, time.time()), ("", 0.0)
        self._report.down(down.reason)
        self._note_attempt()

    def _deliver(self, delivery: act.Deliver) -> None:
        if self._established is None:
            return
        failed = self._established.receiver.take(delivery)
        if failed is not None:
            self._handle(failed)

    def _refresh(self, refresh: Refresh) -> None:
        self._report.refresh(refresh)
        established = self._established
        if established is None:
            return
        if refresh.subtype != RefreshSubtype.QUERY:
            established.receiver.refresh(refresh)
            return
        if not established.asked:
            self._loop.call_soon(lambda: self._resend(established))
        established.asked[refresh.family] = None

    def _resend(self, established: Established) -> None:
        """Send again what the peer has asked for: once, however often that was."""
        asked, established.asked = established.asked, {}
        if self._established is established:
            established.sender.resend(asked)

    # Ribd

    def connected_to_ribd(self) -> None:
        """Ask (again) for routes: ribd is there, or back."""
        if self._established is None:
            self._forget_routes()
        else:
            self._established.sender.pull_again()

    def _forget_routes(self) -> None:
        """Tell ribd that there is no session."""
        self._to_ribd(Pull(self.name, 0, "", [], [], 0))

    def _pull(self) -> None:
        if self._established is not None:
            self._established.sender.progress()

    def batch(self, batch: Batch) -> None:
        """Take what ribd sent."""
        if self._established is not None:
            self._established.sender.batch(batch)
            self._note_table()

    def resync(self, message: Resync) -> None:
        """Start over: ribd does not know what the peer holds."""
        if self._established is not None and not self._established.sender.resync(message):
            self.teardown(4, "the route table was lost")

    # Bridges

    def subscribe(self, identity: bytes, request: Subscribe) -> None:
        """Begin a bridge's feed; it is told first what it needs to understand the rest. No kinds: end it."""
        self._report.subscribe(identity, request, self._established.context if self._established is not None else b"")
        if not request.kinds:
            return
        self._awaited.discard(request.helper)
        if not self._awaited:
            self._begin()

    def spoken(self, identity: bytes, helper: str) -> None:
        """Let the first routes wait for a helper no longer; its bridge is told when the first attempt is over."""
        self._asking.add(identity)
        if self._tried:
            self._note_attempt()
        self._unspoken.discard(helper)
        if not self._unspoken:
            self._release_routes()

    def _release_routes(self) -> None:
        """Send routes: the helpers have had their first moment, or have taken too long to."""
        if self._unspoken:
            missing = sorted(self._unspoken)
            self._log.warning("routes do not wait for what helpers say first peer=%s missing=%s", self.name, missing)
        self._unspoken.clear()
        if self._established is not None:
            self._established.sender.release_routes()

    def settled(self, helper: str) -> None:
        """Note that a helper has announced what it had to at its start."""
        self._announcing.discard(helper)
        if not self._announcing:
            self._announced()

    def _announced(self) -> None:
        """Let End-of-RIB follow what there is: the helpers have announced, or have had their time."""
        self._announcing.clear()
        if self._established is not None:
            self._established.sender.release_end_of_rib()

    def credit(self, identity: bytes, octets: int) -> None:
        """Let a bridge have more."""
        self._report.credit(identity, octets)

    def _pause_reading(self, paused: bool) -> None:
        """Let the peer wait for the subscribers' sake, or go on."""
        if self._established is not None:
            connection = self._connections.find(self._established.connection)
            if connection is not None:
                connection.pause_reading(paused)

    # What there is

    @property
    def established(self) -> Established | None:
        """The session itself, while it is up."""
        return self._established

    @property
    def families(self) -> tuple[Family, ...]:
        """The families of the configuration, in its order."""
        return self._peer.settings.families

    @property
    def status(self) -> dict[str, Any]:
        """What `show neighbor` needs."""
        error, error_at = self._failed if self._failed[0] else self._ended
        established = self._established
        return {
            "state": "up" if established is not None else "down",
            "fsm": self._state,
            "since": established.since if established is not None else 0.0,
            "context": established.context if established is not None else b"",
            "sent": {str(kind): count for kind, count in self._report.sent.items()},
            "received": {str(kind): count for kind, count in self._report.received.items()},
            "prefixes": [[*family, count] for family, count in self.adj_rib_in.counts().items()],
            "last_error": error,
            "last_error_at": error_at,
        }


def _limit(family: list[int], *others: Any) -> PrefixLimit:
    return PrefixLimit(Family(*family), *others)
