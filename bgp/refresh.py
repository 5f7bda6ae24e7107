"""ROUTE-REFRESH: ask for routes again, and mark where they begin and end (RFC 2918, RFC 7313)."""

from __future__ import annotations

from typing import Self

from msgspec import Struct

from bgp.errors import NotifyError
from bgp.family import Family
from bgp.message import HEADER_LENGTH, MessageType, build


class RefreshSubtype:
    """Message subtypes (RFC 7313 section 3.2)."""

    QUERY = 0
    BEGIN = 1  # BoRR
    END = 2  # EoRR


SUBTYPE_NAMES = {RefreshSubtype.QUERY: "query", RefreshSubtype.BEGIN: "begin", RefreshSubtype.END: "end"}


class Refresh(Struct, frozen=True):
    """A family, and what the message says of it. An unknown subtype is legal, and to be ignored."""

    family: Family
    subtype: int = RefreshSubtype.QUERY

    @classmethod
    def decode(cls, body: bytes, enhanced: bool = True) -> Self:
        """Read the body; raise NotifyError 7/1 with the message as data unless it has 4 octets.

        Without RFC 7313 the peer does not know that code: the error is then 1/2 (RFC 4271 section 6.1). With it,
        more octets are none of our business where the subtype is unknown: that message is ignored (section 5).
        """
        foreign = enhanced and len(body) > 4 and body[2] not in SUBTYPE_NAMES
        if len(body) != 4 and not foreign:
            reason = f"ROUTE-REFRESH body has {len(body)} octets, not 4"
            if enhanced:
                raise NotifyError(7, 1, reason, build(MessageType.ROUTE_REFRESH, body))
            raise NotifyError(1, 2, reason, (HEADER_LENGTH + len(body)).to_bytes(2, "big"))
        return cls(Family(body[0] << 8 | body[1], body[3]), body[2])

    def encode(self) -> bytes:
        """Return the body."""
        return self.family.afi.to_bytes(2, "big") + bytes((self.subtype, self.family.safi))

    def message(self) -> bytes:
        """Return the whole message."""
        return build(MessageType.ROUTE_REFRESH, self.encode())

    @property
    def known(self) -> bool:
        """Whether the subtype means something (RFC 7313 section 5: ignore it otherwise)."""
        return self.subtype in SUBTYPE_NAMES

    @property
    def subtype_name(self) -> str:
        """The subtype's name in events: query, begin, end, or its number."""
        return SUBTYPE_NAMES.get(self.subtype, str(self.subtype))
