"""Host and domain name (draft-walton-bgp-hostname-capability): code 73."""

from __future__ import annotations

from typing import Self

from bgp.capability.registry import Capability, register
from bgp.wire import Reader

NAME_LENGTH = 64


@register(73, "hostname")
class Hostname(Capability, frozen=True):
    """Two names, as octets: they come from a stranger and need not be UTF-8."""

    host_name: bytes
    domain_name: bytes = b""

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read two names, each after its length."""
        reader = Reader(data)
        host_name = reader.take(reader.u8())
        domain_name = reader.take(reader.u8())
        reader.finish()
        return cls(host_name, domain_name)

    def encode(self) -> bytes:
        """Return two names, each after its length."""
        return b"".join(bytes((len(name),)) + name for name in (self.host_name, self.domain_name))
