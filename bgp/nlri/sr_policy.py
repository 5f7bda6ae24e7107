"""Segment routing policy NLRI (RFC 9830 section 2.1)."""

from __future__ import annotations

import struct
from typing import Self

from bgp.family import AFI, IPV4_SR_POLICY, IPV6_SR_POLICY, Family
from bgp.nlri.registry import NLRI, register

_FIXED = struct.Struct("!BII")


def endpoint_octets(family: Family) -> int:
    """Return the octets of the family's endpoints: 4 or 16."""
    return 4 if family.afi == AFI.IPV4 else 16


@register(IPV4_SR_POLICY, IPV6_SR_POLICY)
class SrPolicy(NLRI, frozen=True, kw_only=True):
    """A candidate path of a policy: `distinguisher` and `color` have 32 bits, `endpoint` is packed."""

    distinguisher: int
    color: int
    endpoint: bytes

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        for name, value in (("distinguisher", self.distinguisher), ("color", self.color)):
            if not 0 <= value < 1 << 32:
                raise ValueError(f"SR policy {name} {value} does not fit 32 bits")
        if len(self.endpoint) != endpoint_octets(self.family):
            raise ValueError(
                f"{self.family} endpoint has {endpoint_octets(self.family)} octets, not {len(self.endpoint)}"
            )

    @classmethod
    def measure(cls, family: Family, data: bytes, offset: int) -> int:
        """Return the octets of the NLRI; its length octet counts bits."""
        return 1 + (data[offset] + 7) // 8

    @classmethod
    def decode(cls, family: Family, data: bytes, path_id: int) -> Self:
        """Read length, distinguisher, color, endpoint; raises ValueError."""
        size = _FIXED.size + endpoint_octets(family)
        bits = (size - 1) * 8
        if data[0] != bits or len(data) != size:
            raise ValueError(f"{family} NLRI length is {bits} bits, not {data[0]}")
        _, distinguisher, color = _FIXED.unpack_from(data)
        return cls(
            family=family,
            path_id=path_id,
            distinguisher=distinguisher,
            color=color,
            endpoint=data[_FIXED.size :],
        )

    def encode(self) -> bytes:
        """Return length, distinguisher, color, endpoint."""
        bits = (_FIXED.size - 1 + len(self.endpoint)) * 8
        return _FIXED.pack(bits, self.distinguisher, self.color) + self.endpoint
