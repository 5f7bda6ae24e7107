"""TLVs of BGP-LS (RFC 9552 section 5.1): 16 bits of type, 16 bits of length. NLRI and attribute both have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from struct import Struct

from bgp.wire import Truncated

Value = None | int | float | str | Sequence["Value"] | Mapping[str, "Value"]
"""What a TLV says, in the types that events are made of. IP addresses are text here."""

Pair = tuple[str, Value]
"""A name as in events and its value. A list of pairs keeps names that occur more than once."""

Tlv = tuple[int, bytes]

_HEADER = Struct("!HH")


def read_tlvs(data: bytes) -> tuple[Tlv, ...]:
    """Cut octets into (type, value); raises Truncated (a ValueError) unless they end where a TLV ends."""
    tlvs = []
    offset, end = 0, len(data)
    while offset < end:
        if end - offset < _HEADER.size:
            raise Truncated(f"link-state TLV: {_HEADER.size} octets expected, {end - offset} left")
        kind, length = _HEADER.unpack_from(data, offset)
        offset += _HEADER.size
        if length > end - offset:
            raise Truncated(f"link-state TLV {kind}: {length} octets expected, {end - offset} left")
        tlvs.append((kind, data[offset : offset + length]))
        offset += length
    return tuple(tlvs)


def write_tlvs(tlvs: Iterable[Tlv]) -> bytes:
    """Return the octets of TLVs; raises ValueError for a type or length beyond 16 bits."""
    octets = bytearray()
    for kind, value in tlvs:
        if not 0 <= kind <= 0xFFFF:
            raise ValueError(f"link-state TLV type {kind} is not within 0..65535")
        if len(value) > 0xFFFF:
            raise ValueError(f"a link-state TLV has at most 65535 octets, not {len(value)}")
        octets += _HEADER.pack(kind, len(value)) + value
    return bytes(octets)


def check_length(kind: int, value: bytes, *allowed: int) -> None:
    """Raise ValueError unless the value has one of the allowed lengths, in octets."""
    if len(value) not in allowed:
        expected = " or ".join(str(length) for length in allowed)
        raise ValueError(f"link-state TLV {kind} has {expected} octets, not {len(value)}")


def hexadecimal(value: bytes) -> str:
    """Render octets that nobody here can read."""
    return "0x" + value.hex().upper()


def flags(octet: int, *names: str) -> dict[str, Value]:
    """Read one bit for each name, the first the highest; `RSV` stands for the bits that have none."""
    said: dict[str, Value] = {name: octet >> (7 - place) & 1 for place, name in enumerate(names)}
    said["RSV"] = 0
    return said
