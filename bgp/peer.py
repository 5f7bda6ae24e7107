"""One neighbor: its up to two connections, when to dial, and which connection survives a collision.

A `Peer` is plain data between events: it can be pickled, and goes on elsewhere with a clock of the same base.
"""

from __future__ import annotations

from msgspec.structs import replace

from bgp.action import Accept, Action, Close, Dial, Send, StateChange
from bgp.event import (
    Closed,
    Connected,
    ConnectFailed,
    Disconnect,
    Failed,
    Incoming,
    PeerEvent,
    Received,
    SendBlocked,
    SendProgress,
    Start,
    Stop,
    Teardown,
    Tick,
)
from bgp.fsm import Connection, State
from bgp.notification import CEASE, COLLISION, CONNECTION_REJECTED, HARD_RESET, Notification, subcode_name
from bgp.settings import SessionSettings

LONGEST_DELAY = 60
SHORTEST_SESSION = 1.0  # seconds; a session that ends sooner is a failed attempt, lest two speakers spin
# A peer that closes TCP without a word has mostly ended, and maybe we are ending with it: what listens there a moment
# later may be somebody else.
CLOSED_DELAY = 1

GRACEFUL_CLOSE = "graceful restarted negotiated, closing without sending any notification"
REPLACED = "graceful restart negotiated, the peer opened a new connection"
COLLIDED = Notification(CEASE, COLLISION)


class Peer:
    """The state machine of one neighbor. `handle` is total and never raises; `deadline` says when to `Tick`."""

    __slots__ = (
        "_connections",
        "_delay",
        "_dials",
        "_handle",
        "_idle_until",
        "_retry_deadline",
        "_up_since",
        "jitter",
        "running",
        "settings",
    )

    def __init__(self, settings: SessionSettings, jitter: float = 1.0) -> None:
        self.settings = settings
        self.jitter = jitter
        self.running = False
        self._connections: dict[int, Connection] = {}
        self._handle = 0
        self._delay = 0
        self._dials = 0
        self._retry_deadline: float | None = None
        self._idle_until: float | None = None  # no session is wanted before (RFC 4271 section 8.1.1, IdleHoldTime)
        self._up_since: float | None = None

    @property
    def connections(self) -> tuple[Connection, ...]:
        """The connections that live, oldest first."""
        return tuple(self._connections.values())

    @property
    def established(self) -> Connection | None:
        """The connection that carries the session, if one does."""
        return next((one for one in self._connections.values() if one.state == State.ESTABLISHED), None)

    @property
    def state(self) -> str:
        """The state of the connection that got furthest; ACTIVE between two attempts, IDLE when stopped."""
        order = (State.ESTABLISHED, State.OPENCONFIRM, State.OPENSENT, State.CONNECT, State.ACTIVE)
        states = {one.state for one in self._connections.values()}
        resting = State.ACTIVE if self.running else State.IDLE
        return next((state for state in order if state in states), resting)

    @property
    def spent(self) -> bool:
        """Whether the attempts are used up and no connection is left: nothing more happens by itself."""
        return self._exhausted and self.running and not self._connections

    @property
    def _exhausted(self) -> bool:
        return bool(self.settings.attempts) and self._dials >= self.settings.attempts

    def deadline(self) -> float | None:
        """Return when the next `Tick` is due."""
        deadlines = [one.deadline() for one in self._connections.values()]
        deadlines.append(self._retry_deadline)
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def handle(self, event: PeerEvent, now: float) -> list[Action]:
        """Take one event; return what to do, in order."""
        match event:
            case Received():
                actions = self._received(event, now)
            case Tick():
                actions = self._tick(now)
            case Connected() | ConnectFailed() | Closed() | Failed() | SendBlocked() | SendProgress():
                if isinstance(event, Failed) and event.idle_hold:
                    self._rest(now + event.idle_hold)
                connection = self._connections.get(event.connection)
                actions = [] if connection is None else connection.handle(event, now)
            case Incoming():
                actions = self._incoming(event, now)
            case Start():
                actions = self._start(now)
            case Stop():
                actions = self._stop(event, now)
            case Teardown(subcode=subcode, text=text):
                actions = self._teardown(subcode, text, now)
        self._reap(now, CLOSED_DELAY if isinstance(event, Closed) else 0)
        return actions

    def _rest(self, until: float) -> None:
        """Want no session before; the one that is to blame may have ended in the very read that shows why."""
        self._idle_until = until
        if self._retry_deadline is not None:
            self._retry_deadline = max(self._retry_deadline, until)

    def _received(self, event: Received, now: float) -> list[Action]:
        connection = self._connections.get(event.connection)
        if connection is None:
            return []
        before = connection.state
        actions = connection.receive(event.octets, now)
        if connection.state == before == State.ESTABLISHED:
            return actions
        if connection.state == State.OPENCONFIRM != before:
            actions += self._collide(connection, now)
        actions += connection.resume(now)
        if connection.state == State.ESTABLISHED or self._was_up(actions):
            self._up_since = now
            # RFC 4724 section 3: the Restart State bit says that we were started anew, once.
            self.settings = replace(self.settings, restarting=False)
            for other in self._others(connection):
                actions += self._drop(other, COLLIDED, now)
        return actions

    def _was_up(self, actions: list[Action]) -> bool:
        """Tell whether a session was established and lost again within one read."""
        return any(isinstance(action, StateChange) and action.state == State.ESTABLISHED for action in actions)

    def _others(self, connection: Connection) -> list[Connection]:
        return [one for one in self._connections.values() if one is not connection and one.state != State.IDLE]

    def _collide(self, connection: Connection, now: float) -> list[Action]:
        """Let one of two connections live, now that an OPEN was received on `connection` (RFC 4271 section 6.8)."""
        actions: list[Action] = []
        for other in self._others(connection):
            if other.state == State.ESTABLISHED:
                return actions + self._drop(connection, COLLIDED, now)
            if other.state != State.OPENCONFIRM:
                continue  # its OPEN has not come: nobody knows yet who is at the other end
            loser = connection if _incoming_survives(connection) == other.incoming else other
            actions += self._drop(loser, COLLIDED, now)
        return actions

    def _incoming(self, event: Incoming, now: float) -> list[Action]:
        """Take or refuse a connection that the listener has for us."""
        self._handle += 1
        actions: list[Action] = [Accept(self._handle)]
        refusal = self._refusal(now)
        if refusal is not None:
            return [*actions, Send(self._handle, refusal.message()), Close(self._handle)]
        established = self.established
        if established is not None:
            # RFC 4724 section 5: what looks like a second connection is the peer after its restart.
            actions += established.handle(Disconnect(established.connection, None, REPLACED), now)
        connection = Connection(self._handle, self.settings, True, now, self.jitter)
        self._connections[self._handle] = connection
        actions += self._announce(connection)
        connected = Connected(self._handle, event.local_address, event.peer_address)
        return actions + connection.handle(connected, now)

    def _refusal(self, now: float) -> Notification | None:
        """Say why a connection cannot be taken now; None where it can."""
        if not self.running or (self._idle_until is not None and now < self._idle_until):
            return Notification.cease(CONNECTION_REJECTED)
        established = self.established
        if established is not None:
            negotiated = established.negotiated
            return None if negotiated is not None and negotiated.graceful_restart else COLLIDED
        return COLLIDED if any(one.incoming for one in self._connections.values()) else None

    def _start(self, now: float) -> list[Action]:
        if self.running:
            return []
        self.running = True
        self._idle_until = None
        self._delay = self._dials = 0
        return [] if self.settings.passive else self._dial(now)

    def _dial(self, now: float) -> list[Action]:
        self._retry_deadline = None
        if self._connections or self._exhausted:
            return []
        self._dials += 1
        self._handle += 1
        connection = Connection(self._handle, self.settings, False, now, self.jitter)
        self._connections[self._handle] = connection
        return [*self._announce(connection), Dial(self._handle)]

    def _announce(self, connection: Connection) -> list[Action]:
        """Say that an attempt begins, in the words that ExaBGP's helpers know."""
        return [StateChange(connection.connection, state) for state in (State.ACTIVE, State.IDLE)]

    def _tick(self, now: float) -> list[Action]:
        actions: list[Action] = []
        for connection in self._connections.values():
            actions += connection.handle(Tick(), now)
        if self._retry_deadline is not None and now >= self._retry_deadline:
            actions += self._dial(now)
        return actions

    def _stop(self, stop: Stop, now: float) -> list[Action]:
        self.running = False
        actions = self._close_gracefully(now) if stop.returns else []
        notification = Notification.cease(stop.subcode, stop.text or subcode_name(CEASE, stop.subcode))
        return actions + self._drop_all(notification, f"stop, message [{stop.reason}]", now)

    def _close_gracefully(self, now: float) -> list[Action]:
        """Close the session in silence where the peer would keep our routes (RFC 4724)."""
        established = self.established
        negotiated = None if established is None else established.negotiated
        if established is None or negotiated is None or not negotiated.graceful_restart:
            return []
        return established.handle(Disconnect(established.connection, None, GRACEFUL_CLOSE), now)

    def _teardown(self, subcode: int, text: str, now: float) -> list[Action]:
        """Close the session so that it comes back."""
        closed = self._close_gracefully(now) if subcode != HARD_RESET else []
        if closed:
            return closed
        notification = Notification.cease(subcode, text or subcode_name(CEASE, subcode))
        return self._drop_all(notification, f"notification sent ({CEASE},{subcode})", now)

    def _drop_all(self, notification: Notification, reason: str, now: float) -> list[Action]:
        actions: list[Action] = []
        for connection in self._connections.values():
            disconnect = Disconnect(connection.connection, notification, reason)
            actions += connection.handle(disconnect, now)
        return actions

    def _drop(self, connection: Connection, notification: Notification, now: float) -> list[Action]:
        reason = f"notification sent ({notification.code},{notification.subcode})"
        return connection.handle(Disconnect(connection.connection, notification, reason), now)

    def _reap(self, now: float, at_least: int) -> None:
        """Forget connections that are over, and plan the next attempt once none is left."""
        for handle in [handle for handle, one in self._connections.items() if one.state == State.IDLE]:
            del self._connections[handle]
        if not self.running:
            self._retry_deadline = None
        elif not self._connections and self._retry_deadline is None and not self.settings.passive:
            if self._exhausted:
                return
            if self._up_since is not None and now - self._up_since >= SHORTEST_SESSION:
                self._delay = 0
            self._up_since = None
            self._delay = max(self._delay, at_least)
            self._retry_deadline = max(now + self._delay, self._idle_until or now)
            self._delay = min(int(1 + 1.2 * self._delay), LONGEST_DELAY)


def _incoming_survives(connection: Connection) -> bool:
    """Tell whether the incoming connection survives: the one whose initiator has the higher identifier.

    RFC 4271 section 6.8; equal identifiers are settled by the AS number (RFC 6286 section 2.3).
    """
    negotiated = connection.negotiated
    if negotiated is None:
        return False
    ours = (negotiated.local_id, negotiated.local_as)
    return ours < (negotiated.peer_id, negotiated.peer_as)
