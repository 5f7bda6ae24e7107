"""BGP role (RFC 9234): code 9."""

from __future__ import annotations

from typing import Self

from bgp.capability.registry import Capability, expect_length, register

PROVIDER, ROUTE_SERVER, ROUTE_SERVER_CLIENT, CUSTOMER, PEER = range(5)

ROLE_NAMES = {
    PROVIDER: "provider",
    ROUTE_SERVER: "rs",
    ROUTE_SERVER_CLIENT: "rs-client",
    CUSTOMER: "customer",
    PEER: "peer",
}

ROLES = {name: role for role, name in ROLE_NAMES.items()}

# The pairs of local and remote role that make sense (RFC 9234 section 4.2).
ROLE_PAIRS = frozenset(
    {
        (PROVIDER, CUSTOMER),
        (CUSTOMER, PROVIDER),
        (ROUTE_SERVER, ROUTE_SERVER_CLIENT),
        (ROUTE_SERVER_CLIENT, ROUTE_SERVER),
        (PEER, PEER),
    }
)


@register(9, "role")
class Role(Capability, frozen=True):
    """What the speaker is to its peer."""

    value: int

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read one octet; an unassigned value is legal here and mismatches later."""
        expect_length("role", data, 1)
        return cls(data[0])

    def encode(self) -> bytes:
        """Return one octet."""
        return bytes((self.value,))
