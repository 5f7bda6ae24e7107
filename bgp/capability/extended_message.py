"""Extended message (RFC 8654): code 6, no value."""

from __future__ import annotations

from typing import Self

from bgp.capability.registry import Capability, expect_length, register


@register(6, "extended-message")
class ExtendedMessage(Capability, frozen=True):
    """The speaker takes messages of up to 65535 octets."""

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Accept no octets."""
        expect_length("extended-message", data, 0)
        return cls()

    def encode(self) -> bytes:
        """Return no octets."""
        return b""
