"""ORIGIN (RFC 4271 section 5.1.1, RFC 7606 section 7.1)."""

from __future__ import annotations

from typing import ClassVar, Self

from bgp.attribute.registry import WELL_KNOWN, Attribute, register
from bgp.negotiated import Negotiated

IGP = 0
EGP = 1
INCOMPLETE = 2


@register("ORIGIN", subcode=6, length=1)
class Origin(Attribute, frozen=True):
    """Where the route comes from: `IGP`, `EGP` or `INCOMPLETE`."""

    CODE: ClassVar[int] = 1
    FLAGS: ClassVar[int] = WELL_KNOWN

    value: int

    def __post_init__(self) -> None:
        if not IGP <= self.value <= INCOMPLETE:
            raise ValueError(f"ORIGIN {self.value} is not 0, 1 or 2")

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read one octet."""
        if len(data) != 1:
            raise cls.malformed(f"length {len(data)} is not 1")
        if data[0] > INCOMPLETE:
            raise cls.malformed(f"value {data[0]} is not 0, 1 or 2")
        return cls(data[0])

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return one octet."""
        return bytes((self.value,))
