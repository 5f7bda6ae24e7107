"""Software version (draft-abraitis-bgp-version-capability): code 75."""

from __future__ import annotations

from typing import Self

from bgp.capability.registry import Capability, register
from bgp.wire import Reader

VERSION_LENGTH = 252  # so that with its code and lengths it fits a plain optional parameter


@register(75, "software-version")
class SoftwareVersion(Capability, frozen=True):
    """What runs there, as octets: they come from a stranger and need not be UTF-8."""

    software: bytes

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read one text after its length."""
        reader = Reader(data)
        software = reader.take(reader.u8())
        reader.finish()
        return cls(software)

    def encode(self) -> bytes:
        """Return one text after its length."""
        return bytes((len(self.software),)) + self.software
