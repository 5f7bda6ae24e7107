"""Routes on their way from whoever announces them to the sessions: bridge and control, ribd, peerd."""

from __future__ import annotations

from typing import Any

from msgspec import field

from bus.schema.codec import Message, message

# What a change of `Apply` does. The last four do nothing to routes that are not announced.
WITHDRAW, ANNOUNCE, WITHDRAW_ANNOUNCED, REPLACE, WITHDRAW_FORM, REPLACE_FORM = range(6)
LONGEST_LEASE = 31_536_000  # seconds of an announcement in it: a year


@message(1, "bridge | control → ribd")
class Apply(Message, frozen=True):
    """Change routes. Acknowledged by `Applied` once it is journalled, or refused as a whole; idempotent by `sequence`.

    client: who asks, such as `helper-watchdog` or `control`; one sequence of numbers for each client and epoch.
    epoch: changes whenever the client starts anew.
    sequence: counts from 1; a number that ribd has seen is acknowledged again without effect.
    targets: lists of neighbor names that `changes` refer to by index.
    changes: `[index into targets, announce (1) or withdraw (0), AFI, SAFI, attribute set, items]`; an attribute set
        is neutral path attribute octets, an item a path identifier (4 octets) and the NLRI. A seventh element of an
        announcement is its lease: after so many seconds the routes are withdrawn, unless announced again. 2 in place
        of 0 withdraws what is announced, and says nothing of other routes; so does 3 in place of 1. 4 is 2 for
        routes that have these attributes; 5 is 3 for routes that have the attribute set that is its seventh element.
    after_configuration: where ribd knows of no neighbors yet, wait until it does: what is configured comes first, and
        may limit this. Neighbors that the last `Enrol` has removed are left out: whoever says so has yet to hear of it.
    """

    client: str
    epoch: str
    sequence: int
    targets: list[list[str]]
    changes: list[list[Any]]
    after_configuration: bool = False


@message(2, "ribd → bridge | control")
class Applied(Message, frozen=True):
    """`Apply`, `Enrol` or `Clear` number `sequence` and all before it are journalled and in force; `Sync` is over.

    epoch: of the request, because numbers begin again with every epoch of a client.
    """

    sequence: int
    epoch: str = ""


@message(3, "ribd → bridge | control")
class Refused(Message, frozen=True):
    """Request number `sequence` of this epoch changed nothing; `reason` says why, for the log."""

    sequence: int
    reason: str
    epoch: str = ""


@message(4, "control → ribd")
class Enrol(Message, frozen=True):
    """Make these the neighbors that exist: new ones start without routes, those not named are forgotten.

    Where an address of a range becomes a neighbor of its own, or was one, what was announced to it alone is forgotten.

    flow_limits: how many FlowSpec rules a neighbor may have, by name; an `Apply` that would exceed it is refused,
        unless its client is `control` itself.
    forgetful: neighbors whose routes are forgotten once they were sent (`adj-rib-out false`).
    """

    client: str
    epoch: str
    sequence: int
    neighbors: list[str]
    flow_limits: dict[str, Any] = field(default_factory=dict)
    forgetful: list[str] = field(default_factory=list)


UNKNOWN_FLOOR = -1  # of a cursor in `Pull`: whatever is newest now
WHERE = -2  # in place of a floor that has been reached: asks where the table stands now


@message(5, "peerd → ribd")
class Pull(Message, frozen=True):
    """Ask for the next UPDATEs of a session; answered by `Batch` when there is something, or by `Resync`.

    request: echoed in the answer; a later Pull of the same neighbor replaces an earlier one. Under the number of the
        one that is out, it only says what was written meanwhile.
    lineage: of the journal, and in it of the neighbor, that the cursors belong to; empty for a session that has been
        sent nothing.
    shape: what decides the octets (the wire form of `bgp.shape.Shape`).
    cursors: `[AFI, SAFI, position, floor]` for each family: the version sent last, and the version up to which
        withdrawals need not be sent because the session was sent nothing older (-1: whatever is newest now; such a
        Pull is answered at once; -2: the floor is the position, and the answer says at once, in its place, what is
        newest now).
        No cursors: the session is down, forget it; of a range: forget all but those that this connection has named.
    credit: how many octets the answer may hold, roughly.
    written: for each cursor, up to which position TCP has taken everything; empty where it has taken all that was sent.
    """

    neighbor: str
    request: int
    lineage: str
    shape: list[Any]
    cursors: list[list[int]]
    credit: int
    written: list[int] = field(default_factory=list)


@message(6, "ribd → peerd")
class Batch(Message, frozen=True):
    """Whole BGP messages to write, and the cursors that hold once they are written.

    withheld: reasons for routes that this session cannot carry, for the log (each reason once a batch).
    """

    neighbor: str
    request: int
    lineage: str
    cursors: list[list[int]]
    octets: bytes
    routes: int
    withheld: list[str]


@message(7, "ribd → peerd")
class Resync(Message, frozen=True):
    """The cursors are of another table, or older than what ribd remembers: send the table from the start."""

    neighbor: str
    request: int
    lineage: str
    reason: str


@message(8, "bridge | control → ribd")
class ListRoutes(Message, frozen=True):
    """Ask for routes held for a neighbor, a page at a time: `after` is 0, then what the last page said."""

    request: int
    neighbor: str
    after: int
    limit: int


@message(9, "ribd → bridge | control")
class RoutePage(Message, frozen=True):
    """A page of routes: `[AFI, SAFI, attribute set, item]` each; `after` continues, -1 where that was all.

    A fifth element is how many seconds are left of the route's lease.
    """

    request: int
    neighbor: str
    after: int
    rows: list[list[Any]]


@message(10, "control | bridge → ribd")
class Clear(Message, frozen=True):
    """Withdraw every route of these neighbors."""

    client: str
    epoch: str
    sequence: int
    neighbors: list[str]


@message(11, "bridge | control → ribd")
class Sync(Message, frozen=True):
    """Answer once TCP has taken everything that the established sessions of these neighbors are to be sent now.

    It is numbered among the other requests of its client, and answered by `Applied`, or by `Refused` where a session
    has not got there within `seconds`. Sessions that are down, or end meanwhile, do not count.
    """

    client: str
    epoch: str
    sequence: int
    neighbors: list[str]
    seconds: float


@message(12, "control → ribd; ribd → control")
class Lineage(Message, frozen=True):
    """Which journal is there? Control names the one that it knows, ribd answers with its own.

    A journal other than before has lost what the configuration announced, and control announces it again.
    """

    lineage: str


@message(13, "control → ribd")
class CountRoutes(Message, frozen=True):
    """Ask how many routes there are to announce to these neighbors; answered by `RouteCounts`."""

    request: int
    neighbors: list[str]


@message(14, "ribd → control")
class RouteCounts(Message, frozen=True):
    """How many routes each of the neighbors has, in their order."""

    request: int
    counts: list[int]


@message(15, "ribd (file)")
class Forget(Message, frozen=True):
    """In the journal: a neighbor was sent all up to `[AFI, SAFI, version]`, which is as if it had never been."""

    client: str
    epoch: str
    sequence: int
    neighbor: str
    sent: list[list[int]]
