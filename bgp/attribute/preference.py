"""MULTI_EXIT_DISC and LOCAL_PREF (RFC 4271 sections 5.1.4 and 5.1.5, RFC 7606 sections 7.4 and 7.5)."""

from __future__ import annotations

from typing import ClassVar, Self

from bgp.attribute.registry import (
    OPTIONAL_NON_TRANSITIVE,
    WELL_KNOWN,
    Attribute,
    from_internal_peers,
    register,
)
from bgp.negotiated import Negotiated


def validate_u32(name: str, value: int) -> None:
    """Raise ValueError where a number does not fit into 4 octets."""
    if not 0 <= value <= 0xFFFFFFFF:
        raise ValueError(f"{name} {value} is not within 0..4294967295")


@register("MULTI_EXIT_DISC", length=4)
class Med(Attribute, frozen=True):
    """Which of several links between two autonomous systems to take: the lowest."""

    CODE: ClassVar[int] = 4
    FLAGS: ClassVar[int] = OPTIONAL_NON_TRANSITIVE

    value: int

    def __post_init__(self) -> None:
        validate_u32("MULTI_EXIT_DISC", self.value)

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read 4 octets."""
        if len(data) != 4:
            raise cls.malformed(f"length {len(data)} is not 4")
        return cls(int.from_bytes(data, "big"))

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return 4 octets."""
        return self.value.to_bytes(4, "big")


@register("LOCAL_PREF", accepted=from_internal_peers, length=4)
class LocalPref(Attribute, frozen=True):
    """How much an autonomous system prefers the route: the highest wins."""

    CODE: ClassVar[int] = 5
    FLAGS: ClassVar[int] = WELL_KNOWN

    value: int

    def __post_init__(self) -> None:
        validate_u32("LOCAL_PREF", self.value)

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read 4 octets."""
        if len(data) != 4:
            raise cls.malformed(f"length {len(data)} is not 4")
        return cls(int.from_bytes(data, "big"))

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return 4 octets."""
        return self.value.to_bytes(4, "big")
