"""One neighbor's session: carries out what the state machine says, moves octets between TCP, ribd and the bridges.

No protocol decision is made here. Everything that may be large is bounded: a read is 64 KiB, a batch from ribd is
asked for only while little waits for the socket, a feed is bounded by its subscriber's credit.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import msgpack

from bgp import action as act
from bgp import event as ev
from bgp.errors import NotifyError
from bgp.family import Family
from bgp.fsm import Connection as OpenConnection
from bgp.message import MessageType, split_messages
from bgp.notification import Notification
from bgp.operational import ASM, Operational
from bgp.pack import end_of_rib
from bgp.peer import Peer
from bgp.refresh import Refresh, RefreshSubtype
from bgp.settings_wire import facts_to_wire, settings_from_wire
from bgp.shape import Shape
from bgp.update import UpdateDecoder
from bus.schema import (
    FEED_FSM,
    FEED_OPENED,
    FEED_RECEIVED,
    FEED_SENT,
    FEED_STATE,
    Batch,
    Message,
    Pull,
    Resync,
    Subscribe,
)
from bus.settings import SessionConfiguration
from bus.transport import Loop, Publisher, Timer
from peerd.adj_rib_in import AdjRibIn
from peerd.connection import Connection
from peerd.outbound import Outbound
from peerd.subscribers import Subscribers
from peerd.tcp import TransportOptions, dial, outcome

BATCH_OCTETS = 256 * 1024  # asked of ribd at once
HELPERS_SECONDS = 3.0  # for the bridges to subscribe before a session begins without them
LOW_WATER = 128 * 1024  # octets that may wait for the socket when more is asked for


class Established:
    """What exists while a session is up."""

    def __init__(self, connection: int, up: act.Up, configuration: SessionConfiguration) -> None:
        self.connection = connection
        self.negotiated = up.negotiated
        self.context = context_of(up)
        self.decoder = UpdateDecoder(up.negotiated)
        self.outbound = Outbound(up.negotiated.families, end_of_rib_due=not configuration.manual_eor)
        self.shape = Shape.of(up.negotiated, configuration.group_updates)
        self.shape_wire = self.shape.to_wire()
        self.refresh_shape_wire = replace(self.shape, group_updates=False).to_wire()
        self.since = time.time()
        self.greetings: list[bytes] = []  # OPERATIONAL messages that follow the first routes


def context_of(source: act.Up | OpenConnection) -> bytes:
    """Return what a bridge needs to understand the messages of a session."""
    return msgpack.packb([source.sent_open, source.received_open, facts_to_wire(source.facts)])  # type: ignore[no-any-return]


class Session:
    """The driver of one neighbor."""

    def __init__(
        self,
        loop: Loop,
        configuration: SessionConfiguration,
        to_ribd: Callable[[Message], bool],
        to_bridge: Callable[[bytes, Message], bool],
        publisher: Publisher,
        log: logging.Logger,
    ) -> None:
        self.configuration = configuration
        self.name = configuration.name
        self._loop, self._log, self._publisher = loop, log, publisher
        self._to_ribd = to_ribd
        self._peer = Peer(settings_from_wire(configuration.protocol), jitter=random.uniform(0.75, 1.0))
        self._options = TransportOptions(
            configuration.md5_password, configuration.outgoing_ttl, configuration.incoming_ttl, configuration.interface
        )
        self._dialling: dict[int, socket.socket] = {}
        self._connections: dict[int, Connection] = {}
        self._alive: set[int] = set()  # connections that are not Down
        self._incoming: socket.socket | None = None
        self._awaited = set(configuration.helpers)
        self._early: list[socket.socket] = []
        self._begun = False
        self._established: Established | None = None
        self._subscribers = Subscribers(loop, self.name, to_bridge, self._pause_reading, log)
        self._request = 0  # the number of the Pull that is out
        self._pulling = False
        self._timer: Timer | None = None
        self._state = "IDLE"
        self._last_error = ""
        self._sent: dict[int, int] = {}
        self._received: dict[int, int] = {}
        self._withheld: set[str] = set()
        self._told = b""  # the context that the bridges were last told
        self._greeted = False  # there was a session that was sent all configured OPERATIONAL messages
        self.adj_rib_in = AdjRibIn()

    # The state machine

    def start(self) -> None:
        """Begin to want a session, once every helper that is to hear of it listens, or has had its time."""
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
        self._handle(ev.Start())
        early, self._early = self._early, []
        for sock in early:
            self.incoming(sock)

    def stop(self, reason: str = "shutting down", subcode: int = 2) -> None:
        """End the session and want none."""
        self._begun = True
        for sock in self._early:
            sock.close()
        self._early = []
        self._handle(ev.Stop(reason, subcode=subcode))

    def teardown(self, subcode: int, text: str = "") -> None:
        """End the session; it comes back."""
        self._handle(ev.Teardown(subcode, text))

    @property
    def closed(self) -> bool:
        """Whether no connection is left, so that the process may go."""
        self._forget_closed()
        return not self._connections and not self._dialling

    def _forget_closed(self) -> None:
        self._connections = {handle: each for handle, each in self._connections.items() if not each.closed}

    def _handle(self, event: ev.PeerEvent) -> None:
        for action in self._peer.handle(event, self._loop.now()):
            self._perform(action)
        self._arm()

    def _arm(self) -> None:
        """Have a timer no later than the deadline; an early one only finds nothing to do."""
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
                self._dial(action.connection)
            case act.Accept():
                self._adopt(action.connection)
            case act.Close():
                self._close(action)
            case act.Up():
                self._up(action)
            case act.Down():
                self._down(action)
            case act.Heard():
                self._heard(action.message)
            case act.RefreshReceived():
                self._refresh(action.refresh)
            case act.StateChange():
                self._state = action.state
                self._subscribers.feed([[time.time(), FEED_FSM, action.state.encode()]])
            case act.Opened():
                self._opened(action)

    # TCP

    def _dial(self, handle: int) -> None:
        configuration = self.configuration
        try:
            sock = dial(
                configuration.peer_address, configuration.port, configuration.local_address or None, self._options
            )
        except OSError as error:
            self._connect_failed(handle, str(error))
            return
        self._dialling[handle] = sock
        self._loop.watch(sock.fileno(), lambda _events: self._dialled(handle), read=False, write=True)

    def _dialled(self, handle: int) -> None:
        sock = self._dialling.pop(handle)
        self._loop.unwatch(sock.fileno())
        if error := outcome(sock):
            sock.close()
            self._connect_failed(handle, os.strerror(error))
            return
        try:
            local, peer = addresses(sock)
        except OSError as lost:
            sock.close()
            self._connect_failed(handle, str(lost))
            return
        self._connected(handle, sock)
        self._handle(ev.Connected(handle, local, peer))

    def _connect_failed(self, handle: int, reason: str) -> None:
        if reason != self._last_error:
            self._log.info("connection failed peer=%s reason=%s", self.name, reason)
        self._last_error = reason
        # Not at once: the state machine may be in the middle of the actions that made us dial.
        self._loop.call_soon(lambda: self._handle(ev.ConnectFailed(handle, reason)))

    def incoming(self, sock: socket.socket) -> None:
        """Take a connection that the listener accepted."""
        if not self._begun:
            self._early.append(sock)
            return
        try:
            local, peer = addresses(sock)
        except OSError:
            sock.close()
            return
        self._incoming = sock
        self._handle(ev.Incoming(local, peer))
        if self._incoming is not None:
            self._incoming.close()
            self._incoming = None

    def _adopt(self, handle: int) -> None:
        sock, self._incoming = self._incoming, None
        if sock is not None:
            self._connected(handle, sock)

    def _connected(self, handle: int, sock: socket.socket) -> None:
        self._forget_closed()
        self._connections[handle] = self._connection(handle, sock)
        if all(one.connection != handle for one in self._peer.connections):
            return  # refused: it is only told why, and has no life that could end
        self._alive.add(handle)
        self._subscribers.feed([[time.time(), FEED_STATE, b"connected"]])
        self._publish_state("connected")

    def _connection(self, handle: int, sock: socket.socket) -> Connection:
        self._connections = {key: each for key, each in self._connections.items() if not each.closed}
        return Connection(
            self._loop,
            sock,
            lambda octets: self._handle(ev.Received(handle, octets)),
            lambda: self._progress(handle),
            lambda: self._gone(handle),
        )

    def _gone(self, handle: int) -> None:
        self._connections.pop(handle, None)
        self._handle(ev.Closed(handle))

    def _close(self, action: act.Close) -> None:
        sock = self._dialling.pop(action.connection, None)
        if sock is not None:
            self._loop.unwatch(sock.fileno())
            sock.close()
        connection = self._connections.get(action.connection)
        if connection is not None:
            connection.abort() if action.abort else connection.close()

    def _send(self, handle: int, octets: bytes) -> None:
        connection = self._connections.get(handle)
        if connection is None:
            return
        kind = octets[18]
        self._sent[kind] = self._sent.get(kind, 0) + 1
        self._subscribers.feed([[time.time(), FEED_SENT, octets]])
        if kind == MessageType.NOTIFICATION:
            self._notified("send", octets)
        connection.send(octets)

    def _progress(self, handle: int) -> None:
        """The socket was written to: tell the send hold timer, and ask for more when little waits."""
        connection = self._connections.get(handle)
        if connection is None:
            return
        if connection.queued:
            self._handle(ev.SendBlocked(handle))
        else:
            self._handle(ev.SendProgress(handle, pending=False))
        self._pull()

    # Up and down

    def _up(self, up: act.Up) -> None:
        established = self._established = Established(up.connection, up, self.configuration)
        self._withheld.clear()
        self._last_error = ""
        self._log.info(
            "session up peer=%s as=%d hold_time=%d families=%d",
            self.name,
            up.negotiated.peer_as,
            up.negotiated.hold_time,
            len(up.negotiated.families),
        )
        now = time.time()
        if established.context != self._told:
            self._subscribers.feed([[now, FEED_OPENED, established.context]])
        self._subscribers.feed([[now, FEED_STATE, b"up"]])
        self._publish_state("up")
        self._publisher.publish(f"open/{self.name}", {"sent": up.sent_open, "received": up.received_open})
        self._greet(established)
        self._pulling = False
        self._pull()

    def _opened(self, opened: act.Opened) -> None:
        """Tell the bridges what was agreed: they describe the messages that follow by it."""
        for connection in self._peer.connections:
            if connection.connection == opened.connection:
                self._told = context_of(connection)
                self._subscribers.feed([[time.time(), FEED_OPENED, self._told]])

    def _greet(self, established: Established) -> None:
        """Send the first configured OPERATIONAL message if it is an ASM; a session that came back gets ASMs only."""
        if not established.negotiated.operational:
            return
        messages = self.configuration.operational
        repeated = [each for each in messages if Operational.decode(each[19:]).kind == ASM]
        established.greetings = list(repeated if self._greeted else messages)
        self._greeted = True
        if repeated:
            self._send(established.connection, established.greetings.pop(0))

    def _down(self, down: act.Down) -> None:
        self._last_error = down.reason
        established = self._established
        self._log.info("session down peer=%s reason=%s detail=%s", self.name, down.reason, down.detail or "-")
        if established is not None and established.connection == down.connection:
            self._established = None
            self.adj_rib_in.clear()
            self._to_ribd(Pull(self.name, 0, "", [], [], 0))
        self._alive.discard(down.connection)
        self._told = b""
        if not down.established and self._alive:
            return  # the loser of a collision: the neighbor is not down
        self._subscribers.feed([[time.time(), FEED_STATE, f"down - {down.reason}".encode()]])
        self._publish_state("down", down.reason)

    def _publish_state(self, state: str, reason: str = "") -> None:
        self._publisher.publish(f"state/{self.name}", {"state": state, "reason": reason})

    def _heard(self, message: bytes) -> None:
        kind = message[18]
        self._received[kind] = self._received.get(kind, 0) + 1
        self._subscribers.feed([[time.time(), FEED_RECEIVED, message]])
        if kind == MessageType.NOTIFICATION:
            self._notified("receive", message)

    def _notified(self, direction: str, message: bytes) -> None:
        notification = Notification.decode(message[19:])
        self._publisher.publish(
            f"notification/{self.name}",
            {
                "direction": direction,
                "code": notification.code,
                "subcode": notification.subcode,
                "data": notification.data,
                "text": str(notification),
            },
        )

    # Received routes

    def _deliver(self, delivery: act.Deliver) -> None:
        established = self._established
        if established is None:
            return
        now, decode, keep = time.time(), established.decoder.decode, self.configuration.adj_rib_in
        good, failure = [], None
        for message in delivery.messages:
            try:
                update = decode(message[19:])
            except NotifyError as error:
                failure = error
                break
            if keep:
                self.adj_rib_in.take(update)
            if update.error is not None:
                self._log.warning("routes treated as withdrawn peer=%s reason=%s", self.name, update.error)
            good.append(message)
        self._received[MessageType.UPDATE] = self._received.get(MessageType.UPDATE, 0) + len(good)
        self._subscribers.feed([[now, FEED_RECEIVED, message] for message in good])
        topic = f"update/{self.name}"
        if good and self._publisher.wanted(topic):
            self._publisher.publish(topic, {"messages": good})
        if failure is not None:
            self._log.warning("UPDATE refused peer=%s error=%s", self.name, failure)
            self._handle(ev.Failed(delivery.connection, failure))

    # Routes to send

    def connected_to_ribd(self) -> None:
        """Ask (again) for routes: ribd is there, or back."""
        self._pulling = False
        if self._established is None:
            self._to_ribd(Pull(self.name, 0, "", [], [], 0))
        else:
            self._pull()

    def _pull(self) -> None:
        """Ask for the next batch, if none is on its way and little waits to be written."""
        established = self._established
        if established is None or self._pulling:
            return
        connection = self._connections.get(established.connection)
        if connection is None or connection.queued > LOW_WATER:
            return
        self._request += 1
        outbound = established.outbound
        self._pulling = self._to_ribd(
            Pull(
                self.name,
                self._request,
                outbound.lineage,
                # What is sent again is sent route by route, as ExaBGP sends it.
                established.refresh_shape_wire if outbound.refreshing else established.shape_wire,
                outbound.to_wire(),
                BATCH_OCTETS,
            )
        )

    def batch(self, batch: Batch) -> None:
        """Write what ribd sent, and the markers that are due after it."""
        established = self._established
        if established is None or batch.request != self._request:
            return
        self._pulling = False
        for reason in batch.withheld:
            if reason not in self._withheld:
                self._withheld.add(reason)
                self._log.warning("routes withheld peer=%s reason=%s", self.name, reason)
        established.outbound.advance(batch)
        self._write(established, batch.octets)
        for family in established.outbound.take_end_of_rib():
            self._write(established, end_of_rib(family))
        if established.greetings and established.outbound.caught_up:
            greetings, established.greetings = established.greetings, []
            for message in greetings:
                self._send(established.connection, message)
        for family in established.outbound.take_end_of_refresh():
            if established.negotiated.refresh == "enhanced":
                self._send(established.connection, Refresh(family, RefreshSubtype.END).message())
        self._pull()

    def _write(self, established: Established, octets: bytes) -> None:
        """Write whole UPDATEs."""
        connection = self._connections.get(established.connection)
        if connection is None or not octets:
            return
        messages = split_messages(octets)
        self._sent[MessageType.UPDATE] = self._sent.get(MessageType.UPDATE, 0) + len(messages)
        if self._subscribers:
            now = time.time()
            self._subscribers.feed([[now, FEED_SENT, message] for message in messages])
        topic = f"out/{self.name}"
        if self._publisher.wanted(topic):
            self._publisher.publish(topic, {"octets": octets})
        connection.send(octets)

    def resync(self, message: Resync) -> None:
        """Ribd does not know what the peer holds: send everything, and have what is left over swept away."""
        established = self._established
        if established is None or message.request != self._request:
            return
        self._pulling = False
        self._log.warning("table is sent again peer=%s reason=%s", self.name, message.reason)
        if established.negotiated.refresh != "enhanced":
            self.teardown(4, "the route table was lost")
            return
        for family in established.outbound.families:
            self._send(established.connection, Refresh(family, RefreshSubtype.BEGIN).message())
        established.outbound.start_over()
        for cursor in established.outbound.cursors.values():
            cursor.refreshing = True
        self._pull()

    def _refresh(self, refresh: Refresh) -> None:
        afi, safi = refresh.family
        data = {"afi": afi, "safi": safi, "subtype": int(refresh.subtype)}
        self._publisher.publish(f"refresh/{self.name}", data)
        if refresh.subtype == RefreshSubtype.QUERY:
            self.resend([refresh.family])

    def resend(self, families: Iterable[Family] | None = None) -> str:
        """Send families again (all by default); return an error, or nothing."""
        established = self._established
        if established is None:
            return "the session is not established"
        # In the order of the configuration, as ExaBGP; those that were not negotiated are not refreshed.
        for family in self._peer.settings.families if families is None else families:
            if established.outbound.refresh(family) and established.negotiated.refresh == "enhanced":
                self._send(established.connection, Refresh(family, RefreshSubtype.BEGIN).message())
        self._request += 1  # the answer to the Pull that is out is from before: it must not be taken
        self._pulling = False
        self._pull()
        return ""

    # Subscribers

    def subscribe(self, identity: bytes, request: Subscribe) -> None:
        """Begin a bridge's feed; it is told first what it needs to understand the rest. No kinds: end it."""
        if not request.kinds:
            self.unsubscribe(identity)
            return
        first: list[list[Any]] = []
        if self._established is not None:
            now = time.time()
            first = [[now, FEED_OPENED, self._established.context], [now, FEED_STATE, b"up"]]
        else:
            self._told = b""  # who comes between the OPENs and the session must be told, too
        self._subscribers.add(identity, request, first)
        self._awaited.discard(request.helper)
        if not self._awaited:
            self._begin()

    def unsubscribe(self, identity: bytes) -> None:
        """Forget a bridge."""
        self._subscribers.remove(identity)

    def credit(self, identity: bytes, octets: int) -> None:
        """Let a bridge have more."""
        self._subscribers.credit(identity, octets)

    def _pause_reading(self, paused: bool) -> None:
        """Let the peer wait for the subscribers' sake, or go on."""
        established = self._established
        connection = self._connections.get(established.connection) if established is not None else None
        if connection is not None:
            connection.pause_reading(paused)

    # Requests

    def request_refresh(self, family: Family) -> str:
        """Ask the peer to send a family again; return an error, or nothing."""
        established = self._established
        if established is None:
            return "the session is not established"
        if established.negotiated.refresh == "absent":
            return "route refresh was not negotiated"
        self._send(established.connection, Refresh(family).message())
        return ""

    def send_end_of_rib(self, family: Family) -> str:
        """Send End-of-RIB; return an error, or nothing."""
        established = self._established
        if established is None:
            return "the session is not established"
        if family not in established.negotiated.families:
            return f"{family} was not negotiated"
        self._write(established, end_of_rib(family))
        return ""

    def send_message(self, octets: bytes) -> str:
        """Send a whole message (OPERATIONAL); return an error, or nothing."""
        established = self._established
        if established is None:
            return "the session is not established"
        if not established.negotiated.operational:
            return "operational messages were not negotiated"
        self._send(established.connection, octets)
        return ""

    @property
    def status(self) -> dict[str, Any]:
        """What `show neighbor` needs."""
        established = self._established
        return {
            "state": "up" if established is not None else "down",
            "fsm": self._state,
            "since": established.since if established is not None else 0.0,
            "context": established.context if established is not None else b"",
            "sent": {str(kind): count for kind, count in self._sent.items()},
            "received": {str(kind): count for kind, count in self._received.items()},
            "prefixes": [[*family, count] for family, count in self.adj_rib_in.counts().items()],
            "last_error": self._last_error,
        }


def addresses(sock: socket.socket) -> tuple[bytes, bytes]:
    """Return the packed local and peer address of a connected socket."""
    return (
        ip_address(sock.getsockname()[0].partition("%")[0]).packed,
        ip_address(sock.getpeername()[0].partition("%")[0]).packed,
    )
