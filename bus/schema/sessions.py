"""What happens on a session, and what is asked of it: peerd, bridge and control."""

from __future__ import annotations

from typing import Any

from bus.schema.codec import Message, message

FEED_STATE = 1  # text: "connected", "up", "down - REASON"
FEED_FSM = 2  # text: the FSM state's name
FEED_OPENED = 3  # the session's context: both OPEN messages and facts (`bgp.negotiate.SessionFacts` wire form)
FEED_RECEIVED = 4  # one whole BGP message from the peer
FEED_SENT = 5  # one whole BGP message to the peer
FEED_TRIED = 6  # none: the session is up and has its routes, or failed to come up; the answer to `Spoken`, told once
FEED_PLAIN = 7  # as FEED_RECEIVED, which asks for both: an UPDATE that was found plain (`bgp.update.Update.plain`)
FEED_MESSAGES = (FEED_RECEIVED, FEED_PLAIN, FEED_SENT)


@message(20, "bridge → peerd")
class Subscribe(Message, frozen=True):
    """Ask for a session's feed; of a range, for those of its sessions, each of which comes under its own name.

    helper: who asks, for the log.
    kinds: which FEED items are wanted, as a bit mask (1 << FEED_…).
    received, sent: which BGP message types are wanted in each direction, as bit masks (1 << type).
    credit: octets that may be sent before the next `Credit`.
    """

    neighbor: str
    helper: str
    kinds: int
    received: int
    sent: int
    credit: int


@message(21, "bridge → peerd")
class Credit(Message, frozen=True):
    """Allow this many more octets of feed."""

    neighbor: str
    octets: int


@message(22, "peerd → bridge")
class Feed(Message, frozen=True):
    """What happened on a session, in order: `[time (seconds since 1970), FEED kind, octets]` each.

    sequence: counts messages of one subscription from 1.
    lost: items that were dropped here because the subscriber took nothing for too long (then `items` is empty).
    """

    neighbor: str
    sequence: int
    lost: int
    items: list[list[Any]]


@message(23, "bridge | control → peerd")
class SessionRequest(Message, frozen=True):
    """Act on a session; answered by `SessionReply`.

    action: `teardown CODE`, `refresh AFI SAFI`, `eor AFI SAFI`, `operational HEX`, `resend`, `clear-in`, `status`,
        `routes-in AFTER LIMIT`; `leave`: end the session, which begins anew with settings that follow.
    arguments: what is in capitals above.
    origin: the command that asks, if it may be repeated: an action is carried out once for each origin.
    """

    request: int
    neighbor: str
    action: str
    arguments: list[str]
    origin: str = ""


@message(24, "peerd → bridge | control")
class SessionReply(Message, frozen=True):
    """The answer to a SessionRequest: an error where `error` is not empty; `data` depends on the action."""

    request: int
    neighbor: str
    error: str
    data: dict[str, Any]


@message(25, "bridge → peerd")
class Settled(Message, frozen=True):
    """What a helper had to announce at its start is journalled: End-of-RIB need not wait for it (RFC 4724)."""

    neighbor: str
    helper: str


@message(26, "peerd → control")
class Spent(Message, frozen=True):
    """These sessions have used up their attempts (`tcp.attempts`), and have no connection left.

    Sent after `Reconfigure`, and to its sender whenever it changes.
    """

    neighbors: list[str]


@message(27, "bridge → peerd")
class Spoken(Message, frozen=True):
    """A helper has had its first moment, and ribd has what it said in it: the session may be sent its first routes.

    Answered by a `Feed` with `FEED_TRIED` alone, once it was, or has failed.
    """

    neighbor: str
    helper: str
