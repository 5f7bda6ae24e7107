"""What happens to a neighbor and its connections: the input of the state machines.

`connection` is the handle that the machine chose; events of a connection that is gone are ignored.
"""

from __future__ import annotations

from msgspec import Struct

from bgp.errors import NotifyError
from bgp.notification import Notification


class Start(Struct, frozen=True):
    """Begin to want a session: dial, or wait where passive."""


class Stop(Struct, frozen=True):
    """End the session and want none: a NOTIFICATION Cease 6/2 goes out, whatever was negotiated.

    `reason` is for people on this side; `text` is the shutdown communication for the other. `subcode` is
    that of the Cease. For a neighbor that is removed, 3 (Peer De-configured). `returns`: another session with the peer
    follows at once, so this one ends in silence where graceful restart was agreed, as by `Teardown`.
    """

    reason: str = "shutting down"
    text: str = ""
    subcode: int = 2
    returns: bool = False


class Teardown(Struct, frozen=True):
    """End the present session with a Cease and connect again; silent where graceful restart was agreed."""

    subcode: int
    text: str = ""


class Incoming(Struct, frozen=True):
    """The listener has a TCP connection from this neighbor; the answer's first action is `Accept`."""

    local_address: bytes
    peer_address: bytes


class Connected(Struct, frozen=True):
    """A dialled TCP connection is up."""

    connection: int
    local_address: bytes
    peer_address: bytes


class ConnectFailed(Struct, frozen=True):
    """A dialled TCP connection did not come up."""

    connection: int
    reason: str = ""


class Received(Struct, frozen=True):
    """The socket gave octets; at most 64 KiB, so that the work stays bounded."""

    connection: int
    octets: bytes


class Closed(Struct, frozen=True):
    """The peer closed TCP, or the socket failed."""

    connection: int


class Failed(Struct, frozen=True):
    """Whoever decoded an UPDATE found that the session must end, and for how many seconds none is wanted then."""

    connection: int
    error: NotifyError
    idle_hold: float = 0.0


class SendBlocked(Struct, frozen=True):
    """Octets wait to be sent and the socket took none: the send hold timer runs from now, if it did not."""

    connection: int


class SendProgress(Struct, frozen=True):
    """The socket took octets; `pending` tells whether others still wait (RFC 9687)."""

    connection: int
    pending: bool


class Disconnect(Struct, frozen=True):
    """Drop one connection with this NOTIFICATION, or in silence; for the collision rule and the like."""

    connection: int
    notification: Notification | None
    reason: str


class Tick(Struct, frozen=True):
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
