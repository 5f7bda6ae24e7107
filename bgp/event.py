"""What happens to a neighbor and its connections: the input of the state machines.

`connection` is the handle that the machine chose; events of a connection that is gone are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass

from bgp.errors import NotifyError
from bgp.notification import Notification


@dataclass(frozen=True, slots=True)
class Start:
    """Begin to want a session: dial, or wait where passive."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End the session and want none: a NOTIFICATION Cease 6/2 goes out, whatever was negotiated.

    `reason` is for people on this side; `text` is the shutdown communication for the other. `subcode` is
    that of the Cease. For a neighbor that is removed, 3 (Peer De-configured). `returns`: another session with the peer
    follows at once, so this one ends in silence where graceful restart was agreed, as by `Teardown`.
    """

    reason: str = "shutting down"
    text: str = ""
    subcode: int = 2
    returns: bool = False


@dataclass(frozen=True, slots=True)
class Teardown:
    """End the present session with a Cease and connect again; silent where graceful restart was agreed."""

    subcode: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """The listener has a TCP connection from this neighbor; the answer's first action is `Accept`."""

    local_address: bytes
    peer_address: bytes


@dataclass(frozen=True, slots=True)
class Connected:
    """A dialled TCP connection is up."""

    connection: int
    local_address: bytes
    peer_address: bytes


@dataclass(frozen=True, slots=True)
class ConnectFailed:
    """A dialled TCP connection did not come up."""

    connection: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """The socket gave octets; at most 64 KiB, so that the work stays bounded."""

    connection: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class Closed:
    """The peer closed TCP, or the socket failed."""

    connection: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Whoever decoded an UPDATE found that the session must end, and for how many seconds none is wanted then."""

    connection: int
    error: NotifyError
    idle_hold: float = 0.0


@dataclass(frozen=True, slots=True)
class SendBlocked:
    """Octets wait to be sent and the socket took none: the send hold timer runs from now, if it did not."""

    connection: int


@dataclass(frozen=True, slots=True)
class SendProgress:
    """The socket took octets; `pending` tells whether others still wait (RFC 9687)."""

    connection: int
    pending: bool


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Drop one connection with this NOTIFICATION, or in silence; for the collision rule and the like."""

    connection: int
    notification: Notification | None
    reason: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A deadline may have passed. Read the sockets first: octets that wait may hold the KEEPALIVE."""


ConnectionEvent = (
    Connected | ConnectFailed | Received | Closed | Failed | SendBlocked | SendProgress | Disconnect | Tick
)
PeerEvent = (
    Start
    | Stop
    | Teardown
    | Incoming
    | Connected
    | ConnectFailed
    | Received
    | Closed
    | Failed
    | SendBlocked
    | SendProgress
    | Tick
)
