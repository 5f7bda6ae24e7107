"""Route refresh (RFC 2918): code 2, and 128 from before the RFC; no value."""

from __future__ import annotations

from typing import Self

from bgp.capability.registry import Capability, expect_length, register


@register(2, "route-refresh")
class RouteRefresh(Capability, frozen=True):
    """The speaker sends its routes again when asked."""

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Accept no octets."""
        expect_length("route-refresh", data, 0)
        return cls()

    def encode(self) -> bytes:
        """Return no octets."""
        return b""


@register(128, "cisco-route-refresh", informational=True)
class CiscoRouteRefresh(Capability, frozen=True):
    """Route refresh under its pre-standard code; we neither offer it nor act on it."""

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Accept no octets."""
        expect_length("cisco-route-refresh", data, 0)
        return cls()

    def encode(self) -> bytes:
        """Return no octets."""
        return b""
