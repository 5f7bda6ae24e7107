"""What a driver is to do: the output of the state machines, to be carried out in order."""

from __future__ import annotations

from msgspec import Struct

from bgp.negotiate import SessionFacts
from bgp.negotiated import Negotiated
from bgp.notification import Notification
from bgp.refresh import Refresh


class Dial(Struct, frozen=True):
    """Open a TCP connection; answer with `Connected` or `ConnectFailed`."""

    connection: int


class Accept(Struct, frozen=True):
    """Know the TCP connection of the `Incoming` at hand by this handle."""

    connection: int


class Send(Struct, frozen=True):
    """Send one whole message."""

    connection: int
    octets: bytes


class Close(Struct, frozen=True):
    """Close TCP: shut down writing, drain what comes for a moment, then close, lest RST eat the NOTIFICATION.

    `abort`: the peer does not read; try what is queued once, and close at once (RFC 9687).
    """

    connection: int
    abort: bool = False


class Opened(Struct, frozen=True):
    """The OPENs have crossed and agree; the session is not established yet."""

    connection: int
    negotiated: Negotiated


class Up(Struct, frozen=True):
    """The session is established. The OPENs are whole messages; with `facts` they make `negotiated` again."""

    connection: int
    negotiated: Negotiated
    facts: SessionFacts
    sent_open: bytes
    received_open: bytes


class Down(Struct, frozen=True):
    """A connection that had TCP is over; `established` tells whether a session was.

    `reason` is what `down` events say, `detail` tells a log more. `notification` was received where
    `received` is set, else sent; None where there was none.
    """

    connection: int
    reason: str
    detail: str = ""
    notification: Notification | None = None
    received: bool = False
    established: bool = False


class Deliver(Struct, frozen=True):
    """UPDATEs, whole messages as received, not yet decoded."""

    connection: int
    messages: list[bytes]


class RefreshReceived(Struct, frozen=True):
    """A ROUTE-REFRESH to act upon: well-formed, of a family and a subtype that were negotiated."""

    connection: int
    refresh: Refresh


class Heard(Struct, frozen=True):
    """A message was received that is no UPDATE to deliver: for those who watch, not for the session."""

    connection: int
    message: bytes


class StateChange(Struct, frozen=True):
    """The state by its name in `fsm` events."""

    connection: int
    state: str


Action = Dial | Accept | Send | Close | Opened | Up | Down | Deliver | RefreshReceived | Heard | StateChange
