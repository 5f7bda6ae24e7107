"""Cut a field of path attributes into attributes, and put them together (RFC 4271 section 4.3)."""

from __future__ import annotations

from collections.abc import Iterator

from bgp.attribute.registry import EXTENDED_LENGTH
from bgp.wire import Truncated

MP_REACH_NLRI = 14
MP_UNREACH_NLRI = 15


def walk(octets: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield flags, code, start of the attribute, start of its value, and end, for each attribute.

    Raises `Truncated` at an attribute that is longer than what is left (RFC 7606 section 4).
    """
    offset, end = 0, len(octets)
    while offset < end:
        value = offset + 3
        if value > end:
            raise Truncated(f"3 octets of attribute header expected, {end - offset} left")
        flags, code, length = octets[offset], octets[offset + 1], octets[offset + 2]
        if flags & EXTENDED_LENGTH:
            value += 1
            if value > end:
                raise Truncated(f"attribute {code}: 4 octets of header expected, {end - offset} left")
            length = length << 8 | octets[offset + 3]
        stop = value + length
        if stop > end:
            raise Truncated(f"attribute {code}: {length} octets expected, {end - value} left")
        yield flags, code, offset, value, stop
        offset = stop


def frame(flags: int, code: int, value: bytes) -> bytes:
    """Return a whole attribute; the length takes two octets where `flags` ask for it or one is not enough."""
    length = len(value)
    if length > 0xFFFF:
        raise ValueError(f"attribute {code} has {length} octets, more than 65535")
    if length > 0xFF:
        flags |= EXTENDED_LENGTH
    if flags & EXTENDED_LENGTH:
        return bytes((flags, code, length >> 8, length & 0xFF)) + value
    return bytes((flags, code, length)) + value
