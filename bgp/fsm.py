"""The state machine of one TCP connection (RFC 4271 section 8): events in, actions out, no clock, no socket.

`now` is any clock that does not go back, in seconds. IDLE is the end: a new attempt is a new `Connection`.
The two connections that a neighbor may have at once, and when to dial, are `bgp.peer`'s.
"""

from __future__ import annotations

from bgp.action import Action, Close, Deliver, Down, Heard, Opened, RefreshReceived, Send, StateChange, Up
from bgp.errors import NotifyError
from bgp.event import (
    Closed,
    Connected,
    ConnectFailed,
    ConnectionEvent,
    Disconnect,
    Failed,
    Received,
    SendBlocked,
    SendProgress,
    Tick,
)
from bgp.message import KEEPALIVE, Framer, MessageType, message_name
from bgp.negotiate import SessionFacts, negotiate
from bgp.negotiated import Negotiated
from bgp.notification import Notification
from bgp.open import Open
from bgp.refresh import Refresh, RefreshSubtype
from bgp.settings import SessionSettings

SEND_HOLD_TIME = 480.0  # RFC 9687 section 6


class State:
    """States, by their names in `fsm` events. CONNECT and ACTIVE are before our OPEN was sent."""

    IDLE = "IDLE"
    ACTIVE = "ACTIVE"
    CONNECT = "CONNECT"
    OPENSENT = "OPENSENT"
    OPENCONFIRM = "OPENCONFIRM"
    ESTABLISHED = "ESTABLISHED"


# RFC 6608: the subcode of "unexpected message" in each state. While we wait for the peer's OPEN to learn our
# own AS we are past TCP and before OPENSENT: the closest subcode is that of OPENSENT.
_UNEXPECTED = {
    State.CONNECT: 1,
    State.ACTIVE: 1,
    State.OPENSENT: 1,
    State.OPENCONFIRM: 2,
    State.ESTABLISHED: 3,
}

# Messages that ask nothing of the session. No error in an OPERATIONAL is answered: the draft has it logged and dropped.
_ONLY_HEARD = (MessageType.KEEPALIVE, MessageType.OPERATIONAL)

# Messages that restart the hold timer (RFC 4271 sections 4.2 and 8.2.2).
_SIGNS_OF_LIFE = (MessageType.UPDATE, MessageType.KEEPALIVE)


class Connection:
    """One TCP connection, from dialling or acceptance to its end.

    `handle` is total: what makes no sense in a state is ignored or ends the session, and never raises.
    `jitter` (0.75 to 1, RFC 4271 section 10) shortens the keepalive interval.
    """

    __slots__ = (
        "_confirmed",
        "_framer",
        "_hold_deadline",
        "_keepalive_deadline",
        "_open_deadline",
        "_send_deadline",
        "_sent_open",
        "_tcp",
        "connection",
        "facts",
        "incoming",
        "jitter",
        "negotiated",
        "received_open",
        "sent_open",
        "settings",
        "state",
    )

    def __init__(
        self, connection: int, settings: SessionSettings, incoming: bool, now: float, jitter: float = 1.0
    ) -> None:
        self.connection = connection
        self.settings = settings
        self.incoming = incoming
        self.jitter = jitter
        self.state = State.ACTIVE if incoming else State.CONNECT
        self.negotiated: Negotiated | None = None
        self.facts = SessionFacts()
        self.sent_open = b""
        self.received_open = b""
        self._sent_open: Open | None = None
        self._tcp = False
        self._confirmed = False
        self._framer = Framer()
        # Bounds dialling, and later the wait for the peer's OPEN.
        self._open_deadline: float | None = now + settings.open_wait
        self._hold_deadline: float | None = None
        self._keepalive_deadline: float | None = None
        self._send_deadline: float | None = None

    def deadline(self) -> float | None:
        """Return when the next `Tick` is due."""
        deadlines = (
            self._open_deadline,
            self._hold_deadline,
            self._keepalive_deadline,
            self._send_deadline,
        )
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def handle(self, event: ConnectionEvent, now: float) -> list[Action]:
        """Take one event; return what to do, in order."""
        if self.state == State.IDLE:
            return []
        match event:
            case Received(octets=octets):
                actions = self.receive(octets, now)
                return actions + self.resume(now)
            case Tick():
                return self._tick(now)
            case SendProgress(pending=pending):
                self._send_deadline = now + self._send_hold_time() if pending and self._established else None
            case SendBlocked():
                if self._send_deadline is None and self._established:
                    self._send_deadline = now + self._send_hold_time()
            case Connected(local_address=local_address, peer_address=peer_address):
                return self._connected(local_address, peer_address, now)
            case Closed():
                return self._idle("closing connection")
            case ConnectFailed(reason=reason):
                return [] if self._tcp else self._idle("closing connection", detail=reason)
            case Failed(error=error):
                return self._fail(error)
            case Disconnect(notification=notification, reason=reason):
                return self._idle(reason, notification)
        return []

    def receive(self, octets: bytes, now: float) -> list[Action]:
        """Take octets up to and including the peer's OPEN, or all of them once it was seen.

        After the OPEN the owner settles a collision of connections, then calls `resume` for the KEEPALIVE
        that confirms it and for what follows: a connection that lost must not be confirmed first, or the
        peer might drop the other one for it.
        """
        if self.state == State.IDLE or not self._tcp:
            return []
        self._framer.append(octets)
        if self.received_open:
            return self.resume(now)
        try:
            message = self._framer.take()
            if message is None:
                return []
            return self._before_open(message, now)
        except NotifyError as error:
            return self._fail(error)

    def resume(self, now: float) -> list[Action]:
        """Confirm the OPEN where that is due, and take what is left of the octets that were received."""
        actions: list[Action] = []
        if self.state == State.OPENCONFIRM and not self._confirmed:
            self._confirmed = True
            actions.append(Send(self.connection, KEEPALIVE))
        try:
            # One at a time: the KEEPALIVE changes the state.
            while self.state == State.OPENCONFIRM:
                message = self._framer.take()
                if message is None:
                    return actions
                actions += self._in_open_confirm(message, now)
        except NotifyError as error:
            return actions + self._fail(error)
        if self._established and self._framer.pending:
            actions += self._in_established(now)
        return actions

    @property
    def _established(self) -> bool:
        return self.state == State.ESTABLISHED

    def _connected(self, local_address: bytes, peer_address: bytes, now: float) -> list[Action]:
        if self._tcp:
            return []
        settings = self.settings
        self._tcp = True
        self._open_deadline = now + settings.open_wait
        self.state = State.CONNECT
        self.facts = SessionFacts(
            settings.local_as,
            settings.peer_as,
            local_address,
            peer_address,
            settings.aigp,
            settings.role_strict,
        )
        actions: list[Action] = [StateChange(self.connection, State.CONNECT)]
        if settings.local_as is not None:
            actions += self._send_open(settings.open())
        return actions

    def _send_open(self, message: Open) -> list[Action]:
        self._sent_open = message
        self.sent_open = message.message()
        self.state = State.OPENSENT
        return [Send(self.connection, self.sent_open), StateChange(self.connection, State.OPENSENT)]

    def _before_open(self, message: bytes, now: float) -> list[Action]:
        """Take the first message: an OPEN, or a NOTIFICATION; anything else is an error (RFC 6608)."""
        actions = self._hear(message)
        kind = message[18]
        if kind == MessageType.NOTIFICATION:
            return actions + self._notified(message)
        if kind != MessageType.OPEN:
            return actions + self._fail(self._unexpected(kind))
        try:
            received = Open.from_message(message)
            ours = self._sent_open or self.settings.open(received.real_asn)
            negotiated = negotiate(ours, received, self.facts)
        except NotifyError as error:
            return actions + self._fail(error)
        if self._sent_open is None:
            actions += self._send_open(ours)
        self.received_open = message
        self.negotiated = negotiated
        self.state = State.OPENCONFIRM
        self._framer.negotiated(negotiated.message_size, negotiated.operational)
        if negotiated.hold_time:
            self._open_deadline = None
            self._hold_deadline = now + negotiated.hold_time
            self._keepalive_deadline = now + self._keepalive_interval()
        else:
            # No hold timer bounds the wait for the KEEPALIVE that confirms the OPEN: ours does.
            self._open_deadline = now + self.settings.open_wait
        actions.append(Opened(self.connection, negotiated))
        actions.append(StateChange(self.connection, State.OPENCONFIRM))
        return actions

    def _in_open_confirm(self, message: bytes, now: float) -> list[Action]:
        actions = self._hear(message)
        kind = message[18]
        if kind == MessageType.NOTIFICATION:
            return actions + self._notified(message)
        if kind != MessageType.KEEPALIVE or self.negotiated is None:
            return actions + self._fail(self._unexpected(kind))
        self.state = State.ESTABLISHED
        self._open_deadline = None
        self._alive(now)
        actions.append(StateChange(self.connection, State.ESTABLISHED))
        up = Up(self.connection, self.negotiated, self.facts, self.sent_open, self.received_open)
        actions.append(up)
        return actions

    def _in_established(self, now: float) -> list[Action]:
        """Take every whole message; UPDATEs that follow one another go out as one batch."""
        messages, error = self._framer.take_all()
        if any(message[18] in _SIGNS_OF_LIFE for message in messages):
            self._alive(now)
        actions: list[Action] = []
        updates: list[bytes] = []
        for message in messages:
            if message[18] == MessageType.UPDATE:
                updates.append(message)
                continue
            if updates:
                actions.append(Deliver(self.connection, updates))
                updates = []
            actions += self._control(message)
            if self.state == State.IDLE:
                return actions
        if updates:
            actions.append(Deliver(self.connection, updates))
        return actions if error is None else actions + self._fail(error)

    def _control(self, message: bytes) -> list[Action]:
        """Take a message that is not an UPDATE, in ESTABLISHED."""
        actions = self._hear(message)
        kind = message[18]
        try:
            if kind == MessageType.ROUTE_REFRESH:
                actions += self._refresh(message)
            elif kind == MessageType.NOTIFICATION:
                actions += self._notified(message)
            elif kind not in _ONLY_HEARD:
                raise self._unexpected(kind)
        except NotifyError as error:
            actions += self._fail(error)
        return actions

    def _refresh(self, message: bytes) -> list[Action]:
        """Check a ROUTE-REFRESH; nobody is asked to act on what was not negotiated (RFC 2918, RFC 7313)."""
        negotiated = self.negotiated
        if negotiated is None:
            return []
        enhanced = negotiated.refresh == "enhanced"
        refresh = Refresh.decode(message[19:], enhanced)
        wanted = enhanced if refresh.subtype != RefreshSubtype.QUERY else negotiated.refresh != "absent"
        if not wanted or not refresh.known or refresh.family not in negotiated.families:
            return []
        return [RefreshReceived(self.connection, refresh)]

    def _hear(self, message: bytes) -> list[Action]:
        return [Heard(self.connection, message)] if self.settings.hear else []

    def _unexpected(self, kind: int) -> NotifyError:
        reason = f"{message_name(kind)} is not expected in {self.state}"
        return NotifyError(5, _UNEXPECTED.get(self.state, 0), reason, bytes((kind,)))

    def _alive(self, now: float) -> None:
        if self.negotiated is not None and self.negotiated.hold_time:
            self._hold_deadline = now + self.negotiated.hold_time

    def _keepalive_interval(self) -> float:
        hold_time = self.negotiated.hold_time if self.negotiated is not None else 0
        return hold_time / 3 * self.jitter

    def _send_hold_time(self) -> float:
        if self.settings.send_hold_time is not None:
            return self.settings.send_hold_time
        hold_time = self.negotiated.hold_time if self.negotiated is not None else 0
        return max(SEND_HOLD_TIME, 2.0 * hold_time)

    def _tick(self, now: float) -> list[Action]:
        if _passed(self._hold_deadline, now):
            return self._fail(NotifyError(4, 0, "nothing was received for the hold time"))
        if _passed(self._send_deadline, now):
            error = NotifyError(8, 0, f"nothing could be sent for {self._send_hold_time():g} seconds")
            return self._fail(error, abort=True)
        if _passed(self._open_deadline, now):
            if not self._tcp:
                return self._idle("closing connection", detail="no answer to the attempt to connect")
            reason = f"the peer's part of the handshake did not come for {self.settings.open_wait:g} seconds"
            return self._fail(NotifyError(4, 0, reason))
        if _passed(self._keepalive_deadline, now):
            self._keepalive_deadline = now + self._keepalive_interval()
            return [Send(self.connection, KEEPALIVE)]
        return []

    def _notified(self, message: bytes) -> list[Action]:
        notification = Notification.decode(message[19:])
        reason = f"notification received ({notification.code},{notification.subcode})"
        return self._idle(reason, notification, received=True, detail=str(notification))

    def _fail(self, error: NotifyError, abort: bool = False) -> list[Action]:
        notification = Notification.from_error(error)
        reason = f"notification sent ({error.code},{error.subcode})"
        return self._idle(reason, notification, abort=abort, detail=str(error))

    def _idle(
        self,
        reason: str,
        notification: Notification | None = None,
        received: bool = False,
        abort: bool = False,
        detail: str = "",
    ) -> list[Action]:
        """Leave every state for IDLE: stop the timers, notify, close, in that order."""
        self._open_deadline = self._hold_deadline = self._keepalive_deadline = self._send_deadline = None
        established = self._established
        self.state = State.IDLE
        actions: list[Action] = []
        if self._tcp and notification is not None and not received:
            actions.append(Send(self.connection, notification.message()))
        actions.append(Close(self.connection, abort))
        if self._tcp:
            actions.append(Down(self.connection, reason, detail, notification, received, established))
        actions.append(StateChange(self.connection, State.IDLE))
        return actions


def _passed(deadline: float | None, now: float) -> bool:
    return deadline is not None and now >= deadline
