"""What a driver is to do: the output of the state machines, to be carried out in order."""

from __future__ import annotations

from dataclasses import dataclass

from bgp.negotiate import SessionFacts
from bgp.negotiated import Negotiated
from bgp.notification import Notification
from bgp.refresh import Refresh


@dataclass(frozen=True, slots=True)
class Dial:
    """Open a TCP connection; answer with `Connected` or `ConnectFailed`."""

    connection: int


@dataclass(frozen=True, slots=True)
class Accept:
    """Know the TCP connection of the `Incoming` at hand by this handle."""

    connection: int


@dataclass(frozen=True, slots=True)
class Send:
    """Send one whole message."""

    connection: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """Close TCP: shut down writing, drain what comes for a moment, then close, lest RST eat the NOTIFICATION.

    `abort`: the peer does not read; try what is queued once, and close at once (RFC 9687).
    """

    connection: int
    abort: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """The OPENs have crossed and agree; the session is not established yet."""

    connection: int
    negotiated: Negotiated


@dataclass(frozen=True, slots=True)
class Up:
    """The session is established. The OPENs are whole messages; with `facts` they make `negotiated` again."""

    connection: int
    negotiated: Negotiated
    facts: SessionFacts
    sent_open: bytes
    received_open: bytes


@dataclass(frozen=True, slots=True)
class Down:
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


@dataclass(frozen=True, slots=True)
class Deliver:
    """UPDATEs, whole messages as received, not yet decoded."""

    connection: int
    messages: list[bytes]


@dataclass(frozen=True, slots=True)
class RefreshReceived:
    """A ROUTE-REFRESH to act upon: well-formed, of a family and a subtype that were negotiated."""

    connection: int
    refresh: Refresh


@dataclass(frozen=True, slots=True)
class Heard:
    """A message was received that is no UPDATE to deliver: for those who watch, not for the session."""

    connection: int
    message: bytes


@dataclass(frozen=True, slots=True)
class StateChange:
    """The state by its name in `fsm` events."""

    connection: int
    state: str


Action = Dial | Accept | Send | Close | Opened | Up | Down | Deliver | RefreshReceived | Heard | StateChange
