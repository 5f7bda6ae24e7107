"""Every message that crosses a process border, defined once (docs/bus.md is tested against this module).

A message is the msgpack array `[SCHEMA, kind, field, ...]`. Kinds and fields are append-only: a field is never
renumbered, removed or given another meaning under the same SCHEMA. Whoever receives a message checks the type of
every field (`unpack`), as if the sender were hostile.
"""

from __future__ import annotations

import dataclasses
import reprlib
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field
from math import isfinite
from operator import attrgetter
from types import NoneType
from typing import Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints

import msgpack

SCHEMA = 1
MESSAGE_LIMIT = 16 * 1024 * 1024  # octets; larger messages are refused by every socket
PACKED = 1024  # octets that a message usually takes: for more, the buffer grows

Check = Callable[[Any], bool]


class SchemaError(ValueError):
    """Octets from the bus that are not a message of this catalogue, or a message that no octets stand for."""


class Message:
    """Base of all messages. `KIND` numbers it; `ROUTE` says who sends it to whom."""

    __slots__ = ()
    SCHEMA: ClassVar[int] = SCHEMA
    KIND: ClassVar[int]
    ROUTE: ClassVar[str]


M = TypeVar("M", bound=Message)
KINDS: dict[int, type[Message]] = {}
_FIELDS: dict[type[Message], tuple[tuple[str, type | None, Check], ...]] = {}  # a value of that very type is good
_BODY: dict[type[Message], Callable[[Message], tuple[Any, ...]]] = {}
_REQUIRED: dict[type[Message], int] = {}  # fields without a default


def message(kind: int, route: str) -> Callable[[type[M]], type[M]]:
    """Enter a dataclass into the catalogue under `kind`; a number used twice is an error."""

    def register(cls: type[M]) -> type[M]:
        if kind in KINDS:
            raise ValueError(f"kind {kind} is taken by {KINDS[kind].__name__}")
        cls.KIND, cls.ROUTE = kind, route
        KINDS[kind] = cls
        hints = get_type_hints(cls)
        fields = dataclasses.fields(cls)  # type: ignore[arg-type]  # every message is a dataclass
        names = [each.name for each in fields]
        _FIELDS[cls] = tuple((name, _plain(hints[name]), _check(hints[name])) for name in names)
        _BODY[cls] = attrgetter("SCHEMA", "KIND", *names)
        _REQUIRED[cls] = sum(each.default is MISSING and each.default_factory is MISSING for each in fields)
        return cls

    return register


# What a list may hold that is told by its type alone, and needs no look at each element.
_PLAIN: dict[Any, type] = {bytes: bytes, str: str, int: int, list[Any]: list}


def _plain(hint: Any) -> type | None:
    """Return the type of an annotation that its type alone tells; None for others."""
    return hint if hint in (bool, int, str, bytes) else None


def _check(hint: Any) -> Check:
    """Build the test for one annotation: int, float, str, bytes, bool, list[X], X | None, list, dict."""
    origin = get_origin(hint)
    if hint is Any:
        return lambda value: True
    if origin is dict:
        return lambda value: type(value) is dict and set(map(type, value)) <= {str}
    if origin is list:
        inner = get_args(hint)[0]
        if inner is Any:
            return lambda value: type(value) is list
        if inner in _PLAIN:
            kinds = {_PLAIN[inner]}
            return lambda value: type(value) is list and set(map(type, value)) <= kinds
        check = _check(inner)
        return lambda value: type(value) is list and all(map(check, value))
    if origin is not None:  # X | None
        checks = [_check(part) for part in get_args(hint)]
        return lambda value: any(check(value) for check in checks)
    if hint in (None, NoneType):
        return lambda value: value is None
    if hint is float:
        return lambda value: type(value) in (float, int) and isfinite(value)  # NaN in a timer would stop all others
    return lambda value: type(value) is hint


# Plane 1: routes

# What a change of `Apply` does. The last four do nothing to routes that are not announced.
WITHDRAW, ANNOUNCE, WITHDRAW_ANNOUNCED, REPLACE, WITHDRAW_FORM, REPLACE_FORM = range(6)
LONGEST_LEASE = 31_536_000  # seconds of an announcement in it: a year


@message(1, "bridge | control → ribd")
@dataclass(frozen=True, slots=True)
class Apply(Message):
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
        may limit this.
    """

    client: str
    epoch: str
    sequence: int
    targets: list[list[str]]
    changes: list[list[Any]]
    after_configuration: bool = False


@message(2, "ribd → bridge | control")
@dataclass(frozen=True, slots=True)
class Applied(Message):
    """`Apply`, `Enrol` or `Clear` number `sequence` and all before it are journalled and in force; `Sync` is over.

    epoch: of the request, because numbers begin again with every epoch of a client.
    """

    sequence: int
    epoch: str = ""


@message(3, "ribd → bridge | control")
@dataclass(frozen=True, slots=True)
class Refused(Message):
    """Request number `sequence` of this epoch changed nothing; `reason` says why, for the log."""

    sequence: int
    reason: str
    epoch: str = ""


@message(4, "control → ribd")
@dataclass(frozen=True, slots=True)
class Enrol(Message):
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
@dataclass(frozen=True, slots=True)
class Pull(Message):
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
@dataclass(frozen=True, slots=True)
class Batch(Message):
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
@dataclass(frozen=True, slots=True)
class Resync(Message):
    """The cursors are of another table, or older than what ribd remembers: send the table from the start."""

    neighbor: str
    request: int
    lineage: str
    reason: str


@message(8, "bridge | control → ribd")
@dataclass(frozen=True, slots=True)
class ListRoutes(Message):
    """Ask for routes held for a neighbor, a page at a time: `after` is 0, then what the last page said."""

    request: int
    neighbor: str
    after: int
    limit: int


@message(9, "ribd → bridge | control")
@dataclass(frozen=True, slots=True)
class RoutePage(Message):
    """A page of routes: `[AFI, SAFI, attribute set, item]` each; `after` continues, -1 where that was all.

    A fifth element is how many seconds are left of the route's lease.
    """

    request: int
    neighbor: str
    after: int
    rows: list[list[Any]]


@message(10, "control | bridge → ribd")
@dataclass(frozen=True, slots=True)
class Clear(Message):
    """Withdraw every route of these neighbors."""

    client: str
    epoch: str
    sequence: int
    neighbors: list[str]


@message(11, "bridge | control → ribd")
@dataclass(frozen=True, slots=True)
class Sync(Message):
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
@dataclass(frozen=True, slots=True)
class Lineage(Message):
    """Which journal is there? Control names the one that it knows, ribd answers with its own.

    A journal other than before has lost what the configuration announced, and control announces it again.
    """

    lineage: str


@message(13, "control → ribd")
@dataclass(frozen=True, slots=True)
class CountRoutes(Message):
    """Ask how many routes there are to announce to these neighbors; answered by `RouteCounts`."""

    request: int
    neighbors: list[str]


@message(14, "ribd → control")
@dataclass(frozen=True, slots=True)
class RouteCounts(Message):
    """How many routes each of the neighbors has, in their order."""

    request: int
    counts: list[int]


@message(15, "ribd (file)")
@dataclass(frozen=True, slots=True)
class Forget(Message):
    """In the journal: a neighbor was sent all up to `[AFI, SAFI, version]`, which is as if it had never been."""

    client: str
    epoch: str
    sequence: int
    neighbor: str
    sent: list[list[int]]


# Plane 2: sessions


FEED_STATE = 1  # text: "connected", "up", "down - REASON"
FEED_FSM = 2  # text: the FSM state's name
FEED_OPENED = 3  # the session's context: both OPEN messages and facts (`bgp.negotiate.SessionFacts` wire form)
FEED_RECEIVED = 4  # one whole BGP message from the peer
FEED_SENT = 5  # one whole BGP message to the peer
FEED_TRIED = 6  # none: the session is up and has its routes, or failed to come up; the answer to `Spoken`, told once
FEED_PLAIN = 7  # as FEED_RECEIVED, which asks for both: an UPDATE that was found plain (`bgp.update.Update.plain`)
FEED_MESSAGES = (FEED_RECEIVED, FEED_PLAIN, FEED_SENT)


@message(20, "bridge → peerd")
@dataclass(frozen=True, slots=True)
class Subscribe(Message):
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
@dataclass(frozen=True, slots=True)
class Credit(Message):
    """Allow this many more octets of feed."""

    neighbor: str
    octets: int


@message(22, "peerd → bridge")
@dataclass(frozen=True, slots=True)
class Feed(Message):
    """What happened on a session, in order: `[time (seconds since 1970), FEED kind, octets]` each.

    sequence: counts messages of one subscription from 1.
    lost: items that were dropped here because the subscriber took nothing for too long (then `items` is empty).
    """

    neighbor: str
    sequence: int
    lost: int
    items: list[list[Any]]


@message(23, "bridge | control → peerd")
@dataclass(frozen=True, slots=True)
class SessionRequest(Message):
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
@dataclass(frozen=True, slots=True)
class SessionReply(Message):
    """The answer to a SessionRequest: an error where `error` is not empty; `data` depends on the action."""

    request: int
    neighbor: str
    error: str
    data: dict[str, Any]


@message(25, "bridge → peerd")
@dataclass(frozen=True, slots=True)
class Settled(Message):
    """What a helper had to announce at its start is journalled: End-of-RIB need not wait for it (RFC 4724)."""

    neighbor: str
    helper: str


@message(26, "peerd → control")
@dataclass(frozen=True, slots=True)
class Spent(Message):
    """These sessions have used up their attempts (`tcp.attempts`), and have no connection left.

    Sent after `Reconfigure`, and to its sender whenever it changes.
    """

    neighbors: list[str]


@message(27, "bridge → peerd")
@dataclass(frozen=True, slots=True)
class Spoken(Message):
    """A helper has had its first moment, and ribd has what it said in it: the session may be sent its first routes.

    Answered by a `Feed` with `FEED_TRIED` alone, once it was, or has failed.
    """

    neighbor: str
    helper: str


# Control


@message(30, "bridge | command line | runner → control")
@dataclass(frozen=True, slots=True)
class Command(Message):
    """Carry out one line of the command language, with the rights of `client` (empty: all neighbors).

    epoch: of a client that repeats, under the same number, a command that control died over; it uses a number once.
    """

    request: int
    client: str
    line: str
    epoch: str = ""


@message(31, "control → bridge | command line | runner")
@dataclass(frozen=True, slots=True)
class Answer(Message):
    """Lines of an answer; the last part says `final`, and whether the command failed and why.

    unfinished: the last of these lines is continued by the first line of the next part.
    """

    request: int
    lines: list[str]
    final: bool
    error: str
    unfinished: bool = False


@message(32, "control → bridge | peerd")
@dataclass(frozen=True, slots=True)
class Reconfigure(Message):
    """Your settings file has changed: read it again."""

    reason: str


@message(33, "bridge → control")
@dataclass(frozen=True, slots=True)
class Present(Message):
    """A bridge is there: its helper's name and state (for `helpers`), sent at connection and on request."""

    helper: str
    epoch: str
    state: dict[str, Any]


@message(34, "runner → control → bridge")
@dataclass(frozen=True, slots=True)
class Signalled(Message):
    """The foreground process got signal `code`; the command that it stands for follows."""

    code: int


# Listener


@message(40, "listener → peerd, over a UNIX socket with the accepted TCP socket attached (SCM_RIGHTS)")
@dataclass(frozen=True, slots=True)
class Incoming(Message):
    """A TCP connection for `neighbor`; the descriptor travels beside this message."""

    neighbor: str
    peer_address: str
    local_address: str


# Settings files in the run directory


@message(50, "control → peerd (file)")
@dataclass(frozen=True, slots=True)
class PeerdSettings(Message):
    """The sessions of one peerd; each is a map of the fields of `bus.settings.SessionConfiguration`."""

    program: str
    sessions: list[dict[str, Any]]


@message(51, "control → bridge (file)")
@dataclass(frozen=True, slots=True)
class HelperSettings(Message):
    """One helper: a map of the fields of `bus.settings.HelperConfiguration`."""

    helper: dict[str, Any]


@message(52, "control → listener | peerd (file)")
@dataclass(frozen=True, slots=True)
class ListenerSettings(Message):
    """Where to listen and for whom; a map of the fields of `bus.settings.ListenerConfiguration`.

    A peerd that has a range finds in it which of its addresses are other neighbors'.
    """

    listener: dict[str, Any]


@message(53, "control (file)")
@dataclass(frozen=True, slots=True)
class AppliedConfiguration(Message):
    """What control has put in force: the routes of each neighbor, by which it finds the difference on reload.

    generation: digest of the configuration. sources: the files that it came from. routes: `[neighbors, changes]`
    pairs, with `[AFI, SAFI, attribute set, items]` changes. programs: the supervisor programs. watchdogs: the routes
    that a watchdog controls, begun announced or not, `[name, neighbors, changes]` each. revision: names this time that
    it was put in force; the same configuration may come again after another one. flow_limits, forgetful: as in `Enrol`.
    identities: a digest of what tells the neighbor from others, by name; it keeps its name as long as it has that.
    """

    generation: str
    sources: list[str]
    neighbors: list[str]
    routes: list[list[Any]]
    programs: list[str]
    watchdogs: list[list[Any]] = field(default_factory=list)
    revision: str = ""
    flow_limits: dict[str, Any] = field(default_factory=dict)
    identities: dict[str, Any] = field(default_factory=dict)
    forgetful: list[str] = field(default_factory=list)


@message(54, "control (file)")
@dataclass(frozen=True, slots=True)
class WatchdogRoutes(Message):
    """Routes that were announced by a command with `watchdog NAME`: `[name, neighbors, changes]`, as above."""

    routes: list[list[Any]]


@message(55, "control (file)")
@dataclass(frozen=True, slots=True)
class LiveNeighbors(Message):
    """What commands did to neighbors; `keep` says whether it outlives a reload and a restart.

    created: `[name, section of a configuration, keep]` of the neighbors that a command created.
    shut: `[name, shutdown communication, keep]` of the neighbors, created or configured, that a command shut.
    origins: the last commands that did so, as in `SessionRequest`.
    identities: as in `AppliedConfiguration`, for a start after a clean end, which leaves nothing of that.
    """

    created: list[list[Any]]
    shut: list[list[Any]]
    origins: list[str] = field(default_factory=list)
    identities: dict[str, Any] = field(default_factory=dict)


@message(56, "control (file)")
@dataclass(frozen=True, slots=True)
class WatchdogChanges(Message):
    """What commands did since to the routes of watchdogs: `[add (1) or remove (0), name, neighbors, changes]` each."""

    changes: list[list[Any]]


# Plane 3: events


@message(60, "anyone → broker → taps (second frame; the first is the topic)")
@dataclass(frozen=True, slots=True)
class Event(Message):
    """Something happened. `sequence` counts the publisher's events of one epoch: a gap shows what was missed."""

    publisher: str
    epoch: str
    sequence: int
    time: float
    topic: str
    data: dict[str, Any]


TOPICS = {
    "state/NEIGHBOR": "session state: state (connected, up, down), reason",
    "open/NEIGHBOR": "a session's OPENs crossed: sent, received (octets)",
    "update/NEIGHBOR": "UPDATEs received: messages (list of octets)",
    "notification/NEIGHBOR": "NOTIFICATION: direction, code, subcode, data, text",
    "refresh/NEIGHBOR": "ROUTE-REFRESH received and acted upon: afi, safi, subtype",
    "limit/NEIGHBOR": "a limit of received routes: afi, safi, count, maximum, what (warning, exceeded, teardown)",
    "out/NEIGHBOR": "UPDATEs written to the peer: octets (whole messages, joined)",
    "rib": "a request was carried out: client (`lease`: leases have ended), sequence, announced, withdrawn (routes)",
    "helper/NAME": "helper life: state (started, exited, lost, reading) and details",
    "config": "a configuration was applied or refused: generation, reason",
    "bad/PROGRAM": "a bad message was refused: reason, count",
}


# Octets


def shown(value: object) -> str:
    """Return a value for an error's text: it may be nested as deeply as `repr` cannot follow, or large."""
    return reprlib.repr(value)[:60]


def pack(value: Message) -> bytes:
    """Encode a message; `SchemaError` where a text in it is not Unicode."""
    try:
        octets: bytes = msgpack.Packer(use_bin_type=True, buf_size=PACKED).pack(_BODY[type(value)](value))
    except UnicodeEncodeError as error:
        raise SchemaError(f"{type(value).__name__} with a text that is not Unicode: {error}") from error
    return octets


def unpack(octets: bytes, limit: int = MESSAGE_LIMIT) -> Message:
    """Decode and check a message of at most `limit` octets; `SchemaError` names what is wrong."""
    if len(octets) > limit:
        raise SchemaError(f"a message of {len(octets)} octets is larger than {limit}")
    try:
        body = msgpack.unpackb(octets, raw=False, strict_map_key=True, use_list=True)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise SchemaError(f"not msgpack: {error}") from error
    if type(body) is not list or len(body) < 2:
        raise SchemaError("an array [schema, kind, …] expected")
    if body[0] != SCHEMA:
        raise SchemaError(f"schema {shown(body[0])}, not {SCHEMA}")
    cls = KINDS.get(body[1]) if type(body[1]) is int else None
    if cls is None:
        raise SchemaError(f"unknown kind {shown(body[1])}")
    fields = _FIELDS[cls]
    if not _REQUIRED[cls] <= len(body) - 2 <= len(fields):
        raise SchemaError(f"{cls.__name__} has {len(fields)} fields, not {len(body) - 2}")
    # What a former release wrote lacks the fields that were appended since: they have defaults.
    for (name, plain, check), value in zip(fields, body[2:], strict=False):
        if type(value) is not plain and not check(value):
            raise SchemaError(f"{cls.__name__}.{name} is of the wrong type: {shown(value)}")
    return cls(*body[2:])
