"""Link-local next hop (draft-ietf-idr-linklocal-capability): code 77, no value."""

from __future__ import annotations

from typing import Self

from bgp.capability.registry import Capability, expect_length, register


@register(77, "link-local-nexthop", informational=True)
class LinkLocal(Capability, frozen=True):
    """The speaker takes a link-local address as the only next hop."""

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Accept no octets."""
        expect_length("link-local-nexthop", data, 0)
        return cls()

    def encode(self) -> bytes:
        """Return no octets."""
        return b""
