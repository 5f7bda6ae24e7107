"""BGP messages out of packet captures: pcap and pcapng, Ethernet, Linux cooked, raw IP or loopback, IPv4 and IPv6.

Only as much of the formats as test captures need. Segments of a connection are put one after the other in the order
of the capture; whatever does not begin with a marker is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

MARKER = b"\xff" * 16
HEADER_OCTETS = 19

_PCAPNG = bytes.fromhex("0a0d0d0a")
_PACKET_BLOCKS = {6: 28, 3: 12}  # block type → where its packet begins
# Link type → octets before the network layer, or None where it is looked for.
_LINKS = {0: 4, 1: 14, 12: 0, 101: 0, 108: 4, 113: 16, 228: 0, 229: 0, 276: 20}
_TCP = 6


def messages(path: Path) -> list[bytes]:
    """Return the messages of a capture; none where the file is of another kind."""
    streams: dict[bytes, bytearray] = {}
    octets = path.read_bytes()
    for link, packet in _pcapng(octets) if octets.startswith(_PCAPNG) else _pcap(octets):
        found = _segment(link, packet)
        if found is not None:
            streams.setdefault(found[0], bytearray()).extend(found[1])
    return [message for stream in streams.values() for message in cut(bytes(stream))]


def cut(stream: bytes) -> Iterator[bytes]:
    """Yield messages, whatever their length says, from one marker to the next where it says nonsense."""
    offset = stream.find(MARKER)
    while 0 <= offset <= len(stream) - HEADER_OCTETS:
        length = int.from_bytes(stream[offset + 16 : offset + 18], "big")
        end = offset + length
        if length < HEADER_OCTETS or end > len(stream):
            end = stream.find(MARKER, offset + HEADER_OCTETS)
            end = len(stream) if end < 0 else end
        yield stream[offset:end]
        offset = stream.find(MARKER, end)


def _pcap(octets: bytes) -> Iterator[tuple[int, bytes]]:
    order = _order(octets[:4], b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d")
    if order is None:
        return
    link = _number(octets[20:24], order) & 0xFFFF
    offset = 24
    while offset + 16 <= len(octets):
        size = _number(octets[offset + 8 : offset + 12], order)
        yield link, octets[offset + 16 : offset + 16 + size]
        offset += 16 + size


def _pcapng(octets: bytes) -> Iterator[tuple[int, bytes]]:
    order = _order(octets[8:12], b"\x1a\x2b\x3c\x4d") or "big"
    links: list[int] = []
    offset = 0
    while offset + 12 <= len(octets):
        kind = _number(octets[offset : offset + 4], order)
        size = _number(octets[offset + 4 : offset + 8], order)
        if size < 12:
            return
        block = octets[offset : offset + size]
        if kind == 1:
            links.append(_number(block[8:10], order))
        elif kind in _PACKET_BLOCKS and links:
            start = _PACKET_BLOCKS[kind]
            captured = _number(block[20:24], order) if kind == 6 else size - 16
            yield links[0], block[start : start + captured]
        offset += size


def _order(seen: bytes, *magics: bytes) -> str | None:
    for magic in magics:
        if seen == magic:
            return "big"
        if seen == magic[::-1]:
            return "little"
    return None


def _number(octets: bytes, order: str) -> int:
    return int.from_bytes(octets, "big" if order == "big" else "little")


def _segment(link: int, packet: bytes) -> tuple[bytes, bytes] | None:
    """Return the connection (addresses and ports) and the payload of a TCP segment."""
    start = _LINKS.get(link)
    if start is None:
        return b"", packet  # a link that is not read here: the markers are found all the same
    if link == 1 and packet[12:14] == b"\x81\x00":
        start += 4  # a VLAN tag
    network = packet[start:]
    version = network[0] >> 4 if network else 0
    if version == 4 and len(network) >= 20 and network[9] == _TCP:
        addresses, header, end = network[12:20], (network[0] & 15) * 4, int.from_bytes(network[2:4], "big")
    elif version == 6 and len(network) >= 40 and network[6] == _TCP:
        addresses, header, end = network[8:40], 40, 40 + int.from_bytes(network[4:6], "big")
    else:
        return None
    segment = network[header : end or None]
    if len(segment) < 20:
        return None
    return addresses + segment[:4], segment[(segment[12] >> 4) * 4 :]
