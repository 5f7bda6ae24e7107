"""Attributes without a decoder of their own, carried as they are (RFC 4271 section 5)."""

from __future__ import annotations

from bgp.attribute.registry import Attribute
from bgp.negotiated import Negotiated


class UnknownAttribute(Attribute, frozen=True):
    """Any attribute by its octets; `flags` go on the wire as they are, Partial and Extended Length included."""

    code: int
    flags: int
    data: bytes

    def __post_init__(self) -> None:
        if not (0 <= self.code <= 0xFF and 0 <= self.flags <= 0xFF):
            raise ValueError(f"attribute code {self.code} and flags {self.flags} have 8 bits each")

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return the octets."""
        return self.data
