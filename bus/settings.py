"""The settings files in the run directory: control writes them, daemons read them at start and on `Reconfigure`.

A file holds one message (octets of `bus.schema.pack`), is replaced atomically, and is readable by its owner alone:
it may carry passwords. What a record here holds in `protocol` belongs to `bgp` and is opaque to the bus.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgpack
from msgspec import Struct, field
from msgspec.structs import asdict, replace

from bus.schema import HelperSettings, ListenerSettings, Message, PeerdSettings, SchemaError, pack, unpack

FILE_LIMIT = 1024 * 1024 * 1024  # octets; a million static routes with attributes of their own take 100 MB

T = TypeVar("T", bound="Record")


class Record(Struct, frozen=True):
    """Base of the records: plain fields, checked by name when read."""

    def to_wire(self) -> dict[str, Any]:
        """Return the fields as a map."""
        return asdict(self)

    @classmethod
    def from_wire(cls: type[T], values: Mapping[str, Any]) -> T:
        """Build from a map; `SchemaError` names fields that are missing or unknown."""
        names = cls.__struct_fields__
        if values.keys() != set(names):
            raise SchemaError(f"{cls.__name__} with fields {sorted(values)}, not {sorted(names)}")
        return cls(**values)


class SessionConfiguration(Record, frozen=True):
    """One neighbor, as its peerd needs it. Addresses are text; `protocol` is the wire form of `bgp.settings`."""

    name: str
    peer_address: str  # an address, or a prefix for a passive range
    local_address: str  # empty: whatever the kernel chooses
    port: int  # dialled
    passive: bool
    interface: str
    md5_password: bytes
    outgoing_ttl: int | None
    incoming_ttl: int | None
    adj_rib_in: bool
    adj_rib_out: bool  # whether ribd keeps what was sent: with a change of it, the session begins anew
    manual_eor: bool
    group_updates: bool
    helpers: list[str]  # whose bridges subscribe; the session waits for them a moment before it begins
    protocol: dict[str, Any]
    operational: list[bytes] = field(default_factory=list)  # OPERATIONAL messages for a session that comes up
    shut: str | None = None  # the shutdown communication of a neighbor that was shut; None: it is open
    speakers: list[str] = field(default_factory=list)  # helpers for whose first words the first routes wait
    announcers: list[str] = field(default_factory=list)  # helpers for whose routes End-of-RIB waits (RFC 4724)
    end_of_rib_wait: float = 0.0  # seconds, at most, from our start
    rate_limit: int = 0  # UPDATEs in a second; 0: without a limit
    prefix_limits: list[list[Any]] = field(default_factory=list)  # fields of `bgp.prefix_limit.PrefixLimit`
    unused: dict[str, str] = field(default_factory=dict)  # directives that mean nothing to a session, for who shows it

    @property
    def is_range(self) -> bool:
        """Whether it is a range of addresses, each of which has a session of its own."""
        return "/" in self.peer_address

    def same_session(self, other: SessionConfiguration) -> bool:
        """Whether a session can go on with other settings.

        Which helpers listen and announce, and whether it is shut, may change under it, and what it has no use for.
        """
        asides = ("helpers", "speakers", "announcers", "end_of_rib_wait", "shut", "unused")
        return replace(self, **{name: getattr(other, name) for name in asides}) == other


class ApiBinding(Record, frozen=True):
    """What a helper may see of, and say for, one neighbor: masks as in `bus.schema.Subscribe`, and forms."""

    neighbor: str
    program: str  # of the peerd that has the session
    peer_address: str
    local_address: str
    local_as: int
    peer_as: int
    router_id: str
    families: list[list[int]]
    state: bool
    fsm: bool
    negotiated: bool
    signal: bool
    received: int  # message types, 1 << type
    sent: int
    received_parsed: bool
    received_packets: bool
    received_consolidate: bool
    sent_parsed: bool
    sent_packets: bool
    sent_consolidate: bool
    awaited: bool = False  # the session is to be told when the helper has announced what it had to at its start
    flow_limit: int | None = None  # FlowSpec rules that the neighbor may have

    @property
    def received_types(self) -> int:
        """The message types from the peer that the helper is told of: none without a form to tell them in."""
        return self.received if self.received_parsed or self.received_packets or self.received_consolidate else 0

    @property
    def sent_types(self) -> int:
        """The message types to the peer that the helper is told of."""
        return self.sent if self.sent_parsed or self.sent_packets or self.sent_consolidate else 0

    @property
    def subscribes(self) -> bool:
        """Whether the helper is told anything of this neighbor."""
        return bool(self.state or self.fsm or self.negotiated or self.received_types or self.sent_types)


class HelperConfiguration(Record, frozen=True):
    """One helper, as its bridge needs it."""

    name: str
    run: list[str]
    encoder: str
    respawn: bool
    terminate: bool  # whether the daemon ends with it
    json_layout: str
    dialect: str  # of events, as they name it
    compact: bool
    acknowledge: bool
    event_memory: int  # octets of events that wait in memory
    event_spool: int  # octets of events that then wait on disk
    umask: int
    user: str
    bindings: list[dict[str, Any]] = field(default_factory=list)
    subscription: dict[str, Any] = field(default_factory=dict)  # to neighbors that a command creates; an ApiBinding's


class PassiveNeighbor(Record, frozen=True):
    """Whom the listener expects, and which peerd takes the connection."""

    name: str
    program: str
    peer_address: str  # an address or a prefix
    local_address: str
    md5_password: bytes
    outgoing_ttl: int | None
    incoming_ttl: int | None


class ListenerConfiguration(Record, frozen=True):
    """Where to listen, `[address, port]` each, and for whom."""

    endpoints: list[list[Any]]
    neighbors: list[dict[str, Any]]


def write_settings(path: Path, value: Message) -> None:
    """Replace a settings file in one step; it is whole even if the host dies."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pack(value))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_settings(path: Path) -> Message:
    """Read a settings file; OSError or SchemaError."""
    return unpack(path.read_bytes(), FILE_LIMIT)


def append_settings(path: Path, value: Message, durable: bool) -> int:
    """Append a message to those that a file holds; return its size. An OSError may leave a part of it in the file."""
    octets = pack(value)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    try:
        if os.write(descriptor, octets) < len(octets):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if durable:
            os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    return len(octets)


def read_series(path: Path) -> tuple[list[Message], bool]:
    """Read the messages of a file, up to the first that is damaged; return also whether none was. OSError."""
    octets = path.read_bytes()
    unpacker = msgpack.Unpacker(max_buffer_size=FILE_LIMIT)
    unpacker.feed(octets)
    values: list[Message] = []
    start = 0
    try:
        while start < len(octets):
            unpacker.skip()
            start, former = unpacker.tell(), start
            values.append(unpack(octets[former:start], FILE_LIMIT))
    except (msgpack.OutOfData, ValueError):
        return values, False
    return values, True


def read_peerd(path: Path) -> list[SessionConfiguration]:
    """Read a peerd's sessions."""
    value = read_settings(path)
    if not isinstance(value, PeerdSettings):
        raise SchemaError(f"{path} holds {type(value).__name__}, not PeerdSettings")
    return [SessionConfiguration.from_wire(session) for session in value.sessions]


def read_helper(path: Path) -> tuple[HelperConfiguration, list[ApiBinding]]:
    """Read a helper and its neighbors."""
    value = read_settings(path)
    if not isinstance(value, HelperSettings):
        raise SchemaError(f"{path} holds {type(value).__name__}, not HelperSettings")
    helper = HelperConfiguration.from_wire(value.helper)
    return helper, [ApiBinding.from_wire(binding) for binding in helper.bindings]


def read_listener(path: Path) -> tuple[list[tuple[str, int]], list[PassiveNeighbor]]:
    """Read the listener's endpoints and neighbors."""
    value = read_settings(path)
    if not isinstance(value, ListenerSettings):
        raise SchemaError(f"{path} holds {type(value).__name__}, not ListenerSettings")
    listener = ListenerConfiguration.from_wire(value.listener)
    endpoints = [(str(address), int(port)) for address, port in listener.endpoints]
    return endpoints, [PassiveNeighbor.from_wire(neighbor) for neighbor in listener.neighbors]
