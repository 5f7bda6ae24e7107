"""ADD-PATH (RFC 7911): code 69."""

from __future__ import annotations

import struct
from typing import Self

from bgp.capability.registry import Capability, expect_multiple, register
from bgp.family import Family

_ENTRY = struct.Struct("!HBB")

RECEIVE = 1
SEND = 2
BOTH = RECEIVE | SEND

MODE_NAMES = {0: "disabled", RECEIVE: "receive", SEND: "send", BOTH: "send/receive"}


@register(69, "add-path")
class AddPath(Capability, frozen=True):
    """Families, and whether the speaker can receive (1) or send (2) several paths, or both (3)."""

    entries: tuple[tuple[Family, int], ...]

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read entries of 4 octets; an undefined mode is legal here, and its entry ignored later."""
        expect_multiple("add-path", data, _ENTRY.size)
        return cls(tuple((Family(afi, safi), mode) for afi, safi, mode in _ENTRY.iter_unpack(data)))

    def encode(self) -> bytes:
        """Return entries of 4 octets."""
        return b"".join(_ENTRY.pack(family.afi, family.safi, mode) for family, mode in self.entries)
