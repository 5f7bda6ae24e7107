"""OPERATIONAL: advisories and counters between speakers (draft-ietf-idr-operational-message, type 6).

A message is a type, a length and a value that begins with a family: ADM and ASM hold text, the queries a
router identifier and a sequence number, their answers a counter too.
"""

from __future__ import annotations

import struct
from typing import Self

from msgspec import Struct

from bgp.errors import NotifyError
from bgp.family import Family
from bgp.message import HEADER_LENGTH, MessageType, build
from bgp.wire import text_octets

_PREFIX = struct.Struct("!HHHB")
_QUERY = struct.Struct("!4sI")
_RESPONSE = struct.Struct("!4sII")

ADM, ASM, RPCQ, RPCP, APCQ, APCP, LPCQ, LPCP = range(1, 9)

OPERATIONAL_NAMES = {
    ADM: "ADM",
    ASM: "ASM",
    RPCQ: "RPCQ",
    RPCP: "RPCP",
    APCQ: "APCQ",
    APCP: "APCP",
    LPCQ: "LPCQ",
    LPCP: "LPCP",
}
ADVISORIES = frozenset({ADM, ASM})
QUERIES = frozenset({RPCQ, APCQ, LPCQ})
RESPONSES = frozenset({RPCP, APCP, LPCP})

ADVISORY_LENGTH = 2048


class Operational(Struct, frozen=True):
    """One operational message; which fields count depends on `kind`.

    `advisory` is raw text (ADM, ASM); `router_id` and `sequence` belong to queries and answers, `counter` to
    answers; `data` is the value after the family of a kind that is not known.
    """

    kind: int
    family: Family
    advisory: bytes = b""
    router_id: bytes = bytes(4)
    sequence: int = 0
    counter: int = 0
    data: bytes = b""

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the body; raise NotifyError 1/2 where the lengths do not agree: for the reader, not for the peer."""
        if len(body) < _PREFIX.size:
            raise _length_error(body, f"OPERATIONAL body has {len(body)} octets, not 7 or more")
        kind, length, afi, safi = _PREFIX.unpack_from(body)
        if length != len(body) - 4:
            raise _length_error(body, f"OPERATIONAL value length {length} is not {len(body) - 4}")
        family = Family(afi, safi)
        value = body[_PREFIX.size :]
        if kind in ADVISORIES:
            return cls(kind, family, advisory=value)
        if kind in QUERIES:
            if len(value) != _QUERY.size:
                raise _length_error(body, f"{OPERATIONAL_NAMES[kind]} has {len(value)} octets, not 8")
            router_id, sequence = _QUERY.unpack(value)
            return cls(kind, family, router_id=router_id, sequence=sequence)
        if kind in RESPONSES:
            if len(value) != _RESPONSE.size:
                raise _length_error(body, f"{OPERATIONAL_NAMES[kind]} has {len(value)} octets, not 12")
            router_id, sequence, counter = _RESPONSE.unpack(value)
            return cls(kind, family, router_id=router_id, sequence=sequence, counter=counter)
        return cls(kind, family, data=value)

    def encode(self) -> bytes:
        """Return the body."""
        if self.kind in ADVISORIES:
            value = self.advisory
        elif self.kind in QUERIES:
            value = _QUERY.pack(self.router_id, self.sequence)
        elif self.kind in RESPONSES:
            value = _RESPONSE.pack(self.router_id, self.sequence, self.counter)
        else:
            value = self.data
        return _PREFIX.pack(self.kind, 3 + len(value), self.family.afi, self.family.safi) + value

    def message(self) -> bytes:
        """Return the whole message."""
        return build(MessageType.OPERATIONAL, self.encode())

    @property
    def name(self) -> str:
        """The kind's name, its number where it is unknown."""
        return OPERATIONAL_NAMES.get(self.kind, str(self.kind))


def advisory(kind: int, family: Family, text: str) -> Operational:
    """Build an ADM or ASM; the text is cut between characters at 2048 octets (the draft's limit)."""
    return Operational(kind, family, advisory=text_octets(text, ADVISORY_LENGTH))


def _length_error(body: bytes, reason: str) -> NotifyError:
    return NotifyError(1, 2, reason, (HEADER_LENGTH + len(body)).to_bytes(2, "big"))
