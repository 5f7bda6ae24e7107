"""NLRI of families that nobody here can read: carried as they are."""

from __future__ import annotations

from typing import ClassVar, Self

from bgp.family import Family
from bgp.nlri.registry import NLRI


class OpaqueNlri(NLRI, frozen=True, kw_only=True):
    """The whole NLRI field of a family without a codec: where one route ends is not known."""

    HEADER: ClassVar[int] = 0

    data: bytes

    @classmethod
    def measure(cls, family: Family, data: bytes, offset: int) -> int:
        """Return all that is left."""
        return len(data) - offset

    @classmethod
    def decode(cls, family: Family, data: bytes, path_id: int) -> Self:
        """Keep the octets."""
        return cls(family=family, path_id=path_id, data=data)

    def encode(self) -> bytes:
        """Return the octets."""
        return self.data
