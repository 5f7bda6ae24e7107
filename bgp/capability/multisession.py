"""Multiple sessions (draft-ietf-idr-bgp-multisession): code 68, and 131 as Cisco first shipped it.

ExaBGP puts each octet of the value into a capability of its own, so a capability here may hold as little
as its flags.
"""

from __future__ import annotations

from typing import Self

from bgp.capability.registry import Capability, register


@register(68, "multisession", informational=True)
class MultiSession(Capability, frozen=True):
    """Flags, and the capability codes that tell sessions apart."""

    flags: int = 0
    sessions: tuple[int, ...] = ()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read flags, then one octet for each code."""
        if not data:
            raise ValueError("multisession capability is empty, not 1 octet or more")
        return cls(data[0], tuple(data[1:]))

    def encode(self) -> bytes:
        """Return flags, then one octet for each code."""
        return bytes((self.flags, *self.sessions))


@register(131, "cisco-multisession", informational=True)
class CiscoMultiSession(Capability, frozen=True):
    """Flags, and the capability codes that tell sessions apart, under the code that Cisco used."""

    flags: int = 0
    sessions: tuple[int, ...] = ()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read flags, then one octet for each code."""
        if not data:
            raise ValueError("cisco-multisession capability is empty, not 1 octet or more")
        return cls(data[0], tuple(data[1:]))

    def encode(self) -> bytes:
        """Return flags, then one octet for each code."""
        return bytes((self.flags, *self.sessions))
