"""Enhanced route refresh (RFC 7313): code 70, no value."""

from __future__ import annotations

from typing import Self

from bgp.capability.registry import Capability, expect_length, register


@register(70, "enhanced-route-refresh")
class EnhancedRouteRefresh(Capability, frozen=True):
    """The speaker marks where refreshed routes begin and end."""

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Accept no octets."""
        expect_length("enhanced-route-refresh", data, 0)
        return cls()

    def encode(self) -> bytes:
        """Return no octets."""
        return b""
