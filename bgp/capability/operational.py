"""Operational messages (draft-ietf-idr-operational-message): code 185, no value."""

from __future__ import annotations

from typing import Self

from bgp.capability.registry import Capability, expect_length, register


@register(185, "operational", informational=True)
class Operational(Capability, frozen=True):
    """The speaker takes OPERATIONAL messages."""

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Accept no octets."""
        expect_length("operational", data, 0)
        return cls()

    def encode(self) -> bytes:
        """Return no octets."""
        return b""
