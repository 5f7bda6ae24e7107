"""The material of the workloads: lines of commands, routes for configurations, octets for a stream."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

MRT = Path(__file__).resolve().parents[3] / "shared" / "mrt"
AS4777 = MRT / "as4777-2010-07-01-announce.txt.gz"
PCH = MRT / "pch-2015-10-23-fulltable.bgp.gz"
PCH_PREFIXES = 577_740

_MARKER = b"\xff" * 16


def prefixes4(count: int) -> Iterator[str]:
    """Yield distinct IPv4 prefixes of length 24 (up to 16 million / 256)."""
    for number in range(count):
        yield f"{20 + (number >> 16)}.{number >> 8 & 255}.{number & 255}.0/24"


def prefixes6(count: int) -> Iterator[str]:
    """Yield distinct IPv6 prefixes of length 64."""
    for number in range(count):
        yield f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::/64"


def announcements(count: int) -> bytes:
    """IPv4 routes that share one attribute set."""
    rest = "next-hop 192.0.2.1 med 100 community [ 65001:1 ]"
    return _lines(f"announce route {prefix} {rest}" for prefix in prefixes4(count))


def announcements_to(peers: Iterable[str], count: int) -> bytes:
    """`count` IPv4 routes for each of these neighbors alone, with a next hop of its own."""
    return _lines(
        f"neighbor {peer} announce route {prefix} next-hop 192.0.2.{number % 250 + 1}"
        for number, peer in enumerate(peers)
        for prefix in prefixes4(count)
    )


def withdrawals(count: int) -> bytes:
    """Withdraw what `announcements` announced."""
    return _lines(f"withdraw route {prefix} next-hop 192.0.2.1" for prefix in prefixes4(count))


def communities(count: int) -> bytes:
    """IPv4 routes with a new community every ten routes."""
    return _lines(
        f"announce route {prefix} next-hop 192.0.2.1 med 100 community [ {65001 + number // 600000}:{number // 10} ]"
        for number, prefix in enumerate(prefixes4(count))
    )


def announcements6(count: int) -> bytes:
    """IPv6 routes that share one attribute set."""
    rest = "next-hop 2001:db8::1 med 100 community [ 65001:1 ]"
    return _lines(f"announce route {prefix} {rest}" for prefix in prefixes6(count))


def real_feed(count: int) -> bytes:
    """The first `count` routes of a real full feed."""
    with gzip.open(AS4777) as file:
        return b"".join(islice(file, count))


def flow_rules(count: int) -> bytes:
    """FlowSpec rules that discard traffic from one host to one port."""
    return _lines(
        f"announce flow route {{ match {{ source 10.{number >> 16}.{number >> 8 & 255}.{number & 255}/32;"
        " protocol tcp; destination-port =80; } then { discard; } }"
        for number in range(count)
    )


def updates(count: int, each: int = 5) -> bytes:
    """A stream of UPDATEs with `each` prefixes, `count` in all, every one with attributes of its own, as real ones."""
    out = []
    for number in range(count // each):
        path = struct.pack(">BBII", 2, 2, 65010, 65020 + number)
        community = struct.pack(">HH", 65001 + (number >> 16), number & 0xFFFF)
        attributes = b"\x40\x01\x01\x00" + b"\x40\x02\x0a" + path + b"\x40\x03\x04\xc0\x00\x02\x01"
        attributes += b"\x40\x05\x04\x00\x00\x00\x64" + b"\xc0\x08\x04" + community
        nlri = b"".join(
            b"\x18" + bytes((20 + (route >> 16), route >> 8 & 255, route & 255))
            for route in range(number * each, number * each + each)
        )
        body = b"\0\0" + struct.pack(">H", len(attributes)) + attributes + nlri
        out.append(_MARKER + struct.pack(">HB", 19 + len(body), 2) + body)
    return b"".join(out)


def table_dump(count: int) -> bytes:
    """The routes of `announcements` as an MRT table dump (RFC 6396), for GoBGP.

    The last one is repeated: `gobgp mrt inject` (3.10.0) ends before it has sent the last few hundred.
    """
    peer = b"\x02" + bytes((10, 0, 0, 9)) + bytes((192, 0, 2, 9)) + struct.pack(">I", 65010)
    out = [_mrt(1, bytes((10, 0, 0, 9)) + struct.pack(">HH", 0, 1) + peer)]
    attributes = b"\x40\x01\x01\x00\x40\x02\x00\x40\x03\x04\xc0\x00\x02\x01\x80\x04\x04\x00\x00\x00\x64"
    attributes += b"\xc0\x08\x04" + struct.pack(">HH", 65001, 1)
    entry = struct.pack(">HHIH", 1, 0, 0, len(attributes)) + attributes
    for number in range(count):
        prefix = b"\x18" + bytes((20 + (number >> 16), number >> 8 & 255, number & 255))
        out.append(_mrt(2, struct.pack(">I", number) + prefix + entry))
    return b"".join(out) + out[-1] * 2000


def _mrt(subtype: int, body: bytes) -> bytes:
    return struct.pack(">IHHI", 0, 13, subtype, len(body)) + body


def full_table(step: int) -> tuple[bytes, int]:
    """Return every `step`-th UPDATE of a real full table, and the prefixes in them."""
    with gzip.open(PCH) as file:
        stream = file.read()
    if step == 1:
        return stream, PCH_PREFIXES
    chosen, at, number = [], 0, 0
    while at < len(stream):
        size = int.from_bytes(stream[at + 16 : at + 18], "big")
        if number % step == 0:
            chosen.append(stream[at : at + size])
        at += size
        number += 1
    return b"".join(chosen), sum(_count(message[19:]) for message in chosen)


def _count(body: bytes) -> int:
    """Count the prefixes of an IPv4 UPDATE's body."""
    withdrawn = int.from_bytes(body[:2], "big")
    attributes = int.from_bytes(body[2 + withdrawn : 4 + withdrawn], "big")
    total = 0
    for field in (body[2 : 2 + withdrawn], body[4 + withdrawn + attributes :]):
        at = 0
        while at < len(field):
            at += 1 + (field[at] + 7) // 8
            total += 1
    return total


def _lines(lines: Iterator[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
