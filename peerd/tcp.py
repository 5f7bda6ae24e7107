"""TCP for BGP: dialling and listening, MD5 signatures (RFC 2385), TTL security (RFC 5082)."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable
from ipaddress import ip_address, ip_network

from msgspec import Struct

TCP_MD5SIG, TCP_MD5SIG_EXT = 14, 32  # <linux/tcp.h>
MD5_FLAG_PREFIX = 1
IP_MINTTL, IPV6_MINHOPCOUNT = 21, 73  # <linux/in.h>, <linux/in6.h>
IP_FREEBIND = 15
SEND_BUFFER = 256 * 1024
BACKLOG = 1024  # connections that may wait to be accepted: a fleet of routers comes back at the same moment


class TransportOptions(Struct, frozen=True):
    """What a session asks of its TCP connection. Empty or zero: not asked."""

    md5_password: bytes = b""
    outgoing_ttl: int | None = None
    incoming_ttl: int | None = None
    interface: str = ""


def family_of(address: str) -> socket.AddressFamily:
    """Return AF_INET or AF_INET6."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _sockaddr_storage(address: str) -> bytes:
    packed = ip_address(address).packed
    if len(packed) == 4:
        body = struct.pack("=HH4s", socket.AF_INET, 0, packed)
    else:
        body = struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, packed, 0)
    return body.ljust(128, b"\0")


def sign_with_md5(sock: socket.socket, peer: str, password: bytes) -> None:
    """Require MD5 signatures from and to a peer (an address or a prefix); an empty password removes the key."""
    network = ip_network(peer)
    ranged = network.prefixlen != network.max_prefixlen
    flags, length = (MD5_FLAG_PREFIX, network.prefixlen) if ranged else (0, 0)
    key = struct.pack("=BBHI80s", flags, length, len(password), 0, password)
    option = TCP_MD5SIG_EXT if ranged else TCP_MD5SIG
    sock.setsockopt(socket.IPPROTO_TCP, option, _sockaddr_storage(str(network.network_address)) + key)


def limit_ttl(sock: socket.socket, options: TransportOptions) -> None:
    """Set the TTL that we send, and the least that we accept (GTSM)."""
    outgoing = options.outgoing_ttl
    if outgoing is None and options.incoming_ttl is not None:
        outgoing = 255
    v6 = sock.family == socket.AF_INET6
    if outgoing is not None:
        level, name = (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS) if v6 else (socket.IPPROTO_IP, socket.IP_TTL)
        sock.setsockopt(level, name, outgoing)
    if options.incoming_ttl:
        level, name = (socket.IPPROTO_IPV6, IPV6_MINHOPCOUNT) if v6 else (socket.IPPROTO_IP, IP_MINTTL)
        sock.setsockopt(level, name, options.incoming_ttl)


def prepare(sock: socket.socket) -> None:
    """Make a connection non-blocking and prompt."""
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)


def dial(peer: str, port: int, local: str | None, options: TransportOptions) -> socket.socket:
    """Begin a connection; the socket turns writable once it is there or has failed (see `outcome`). OSError at once."""
    sock = socket.socket(family_of(peer), socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        prepare(sock)
        if options.interface:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, options.interface.encode() + b"\0")
        if options.md5_password:
            sign_with_md5(sock, peer, options.md5_password)
        limit_ttl(sock, options)
        if local is not None:
            sock.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((local, 0))
        status = sock.connect_ex((peer, port))
        if status not in (0, errno.EINPROGRESS):
            raise OSError(status, f"cannot connect to {peer} port {port}")
    except OSError:
        sock.close()
        raise
    return sock


def outcome(sock: socket.socket) -> int:
    """Return 0 where a dialled socket is connected, else the errno."""
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def listen(address: str, port: int, protect: Callable[[socket.socket], None]) -> socket.socket:
    """Listen, having called `protect` while nobody can connect yet; OSError names address and port."""
    sock = socket.socket(family_of(address), socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        protect(sock)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"cannot listen on {address} port {port}: {error.strerror}") from error
    return sock
