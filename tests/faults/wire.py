"""A BGP peer made of a socket and `struct`, so that it can also do what no BGP speaker should."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from collections.abc import Iterable
from ipaddress import ip_network

from msgspec import Struct, field

from tests.routers.process import PATIENCE

MARKER = b"\xff" * 16
OPEN, UPDATE, NOTIFICATION, KEEPALIVE, ROUTE_REFRESH = 1, 2, 3, 4, 5
AS_TRANS = 23456
FAMILIES = {
    "ipv4 unicast": (1, 1),
    "ipv6 unicast": (2, 1),
    "ipv4 mpls-vpn": (1, 128),
}


def message(kind: int, body: bytes = b"") -> bytes:
    """Put a header before a body."""
    return MARKER + struct.pack("!HB", 19 + len(body), kind) + body


def open_message(
    asn: int, hold_time: int = 90, router_id: str = "10.0.0.2", families: Iterable[str] = ("ipv4 unicast",)
) -> bytes:
    """Return an OPEN with multiprotocol, route refresh and 4-octet AS capabilities."""
    capabilities = b"".join(struct.pack("!BBHBB", 1, 4, *_spread(family)) for family in families)
    capabilities += bytes((2, 0)) + struct.pack("!BBI", 65, 4, asn)
    parameter = bytes((2, len(capabilities))) + capabilities
    two_octets = asn if asn < 65536 else AS_TRANS
    head = struct.pack("!BHH", 4, two_octets, hold_time) + socket.inet_aton(router_id)
    return message(OPEN, head + bytes((len(parameter),)) + parameter)


def _spread(family: str) -> tuple[int, int, int]:
    afi, safi = FAMILIES[family]
    return afi, 0, safi


def prefix_octets(prefix: str) -> bytes:
    """Return the NLRI of an IPv4 prefix."""
    network = ip_network(prefix)
    return bytes((network.prefixlen,)) + network.network_address.packed[: (network.prefixlen + 7) // 8]


def announcement(prefixes: Iterable[str], path: Iterable[int], internal: bool = False) -> bytes:
    """Return an UPDATE that announces IPv4 prefixes, well-formed on a session with 4-octet AS numbers."""
    asns = b"".join(struct.pack("!I", asn) for asn in path)
    segments = bytes((2, len(asns) // 4)) + asns if asns else b""
    attributes = bytes((0x40, 1, 1, 0)) + bytes((0x40, 2, len(segments))) + segments
    attributes += bytes((0x40, 3, 4, 10, 0, 0, 2))
    if internal:
        attributes += bytes((0x40, 5, 4, 0, 0, 0, 100))
    nlri = b"".join(map(prefix_octets, prefixes))
    return message(UPDATE, struct.pack("!HH", 0, len(attributes)) + attributes + nlri)


def withdrawal(prefix: str) -> bytes:
    """Return an UPDATE that withdraws an IPv4 prefix; it means the same on every session."""
    octets = prefix_octets(prefix)
    return message(UPDATE, struct.pack("!H", len(octets)) + octets + bytes(2))


class Peer(Struct):
    """One connection to the speaker under test; what comes is kept in `messages` as (type, body)."""

    sock: socket.socket
    messages: list[tuple[int, bytes]] = field(default_factory=list)
    closed: str = ""  # how the speaker ended the connection: "fin" or "reset"
    _rest: bytes = b""

    @classmethod
    def dial(cls, source: str, target: tuple[str, int], receive_buffer: int = 0) -> Peer:
        """Connect from `source`; OSError where that fails."""
        sock = socket.socket()
        try:
            if receive_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((source, 0))
            sock.settimeout(5)
            sock.connect(target)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            sock.close()
            raise
        return cls(sock)

    def send(self, octets: bytes) -> bool:
        """Write all; False where the speaker has closed."""
        try:
            self.sock.sendall(octets)
        except OSError:
            return False
        return True

    def poll(self, seconds: float = 0.0) -> None:
        """Take in what has come, waiting for it up to `seconds`."""
        if self.closed or not select.select([self.sock], [], [], seconds)[0]:
            if self.closed and seconds:
                time.sleep(seconds)
            return
        try:
            octets = self.sock.recv(1 << 20)
        except ConnectionResetError:
            self.closed = "reset"
            return
        if not octets:
            self.closed = "fin"
            return
        self._rest += octets
        while len(self._rest) >= 19 and len(self._rest) >= (length := int.from_bytes(self._rest[16:18], "big")):
            assert self._rest[:16] == MARKER
            assert length >= 19
            self.messages.append((self._rest[18], self._rest[19:length]))
            self._rest = self._rest[length:]

    def wait(self, kind: int, seconds: float = PATIENCE) -> bytes:
        """Return the body of the first message of a type; TimeoutError with what came instead."""
        deadline = time.monotonic() + seconds
        while True:
            for seen, body in self.messages:
                if seen == kind:
                    return body
            if self.closed or time.monotonic() > deadline:
                raise TimeoutError(f"no message of type {kind}: closed={self.closed!r} came={self.messages[:5]}")
            self.poll(0.2)

    def wait_closed(self, seconds: float) -> str:
        """Wait until the speaker closes; return how."""
        deadline = time.monotonic() + seconds
        while not self.closed and time.monotonic() < deadline:
            self.poll(0.2)
        return self.closed

    @property
    def notification(self) -> tuple[int, int] | None:
        """The (code, subcode) of the NOTIFICATION that came, if one did."""
        return next(((body[0], body[1]) for kind, body in self.messages if kind == NOTIFICATION), None)

    def establish(self, our_open: bytes, seconds: float = PATIENCE) -> None:
        """Bring the session up, up to their KEEPALIVE."""
        self.wait(OPEN, seconds)
        self.send(our_open + message(KEEPALIVE))
        self.wait(KEEPALIVE, seconds)

    def close(self) -> None:
        """Close with FIN."""
        self.sock.close()

    def reset(self) -> None:
        """Close with RST."""
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def dial_established(source: str, target: tuple[str, int], our_open: bytes, seconds: float = PATIENCE) -> Peer:
    """Connect until a session comes up: a speaker that is starting, or ending a session, refuses at first."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            peer = Peer.dial(source, target)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
            continue
        try:
            peer.establish(our_open, max(1.0, deadline - time.monotonic()))
        except TimeoutError:
            peer.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
            continue
        return peer
