"""Paths limit (draft-abraitis-idr-addpath-paths-limit): code 76."""

from __future__ import annotations

import struct
from typing import Self

from bgp.capability.registry import Capability, expect_multiple, register
from bgp.family import Family

_ENTRY = struct.Struct("!HBH")


@register(76, "paths-limit", informational=True)
class PathsLimit(Capability, frozen=True):
    """Families, and how many paths for a prefix the speaker wants to receive."""

    entries: tuple[tuple[Family, int], ...]

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read entries of 5 octets."""
        expect_multiple("paths-limit", data, _ENTRY.size)
        return cls(tuple((Family(afi, safi), limit) for afi, safi, limit in _ENTRY.iter_unpack(data)))

    def encode(self) -> bytes:
        """Return entries of 5 octets."""
        return b"".join(_ENTRY.pack(family.afi, family.safi, limit) for family, limit in self.entries)
