"""Ask a name server for a name's addresses: just enough of RFC 1035 to know whether it answers (pure)."""

from __future__ import annotations

import struct
from enum import IntEnum

_HEADER = struct.Struct("!HHHHHH")
_QUESTION = struct.Struct("!HH")
_RECORD = struct.Struct("!HHIH")
CLASS_IN = 1
RESPONSE, TRUNCATED, RECURSION_DESIRED = 0x8000, 0x0200, 0x0100
POINTER = 0xC0
RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")


class Kind(IntEnum):
    """The record types that we ask for."""

    A = 1
    AAAA = 28


def encode_query(identifier: int, name: str, kind: Kind) -> bytes:
    """Return a query; ValueError where the name cannot stand in one (RFC 1035 section 2.3.4)."""
    octets = b""
    for label in name.rstrip(".").split("."):
        data = label.encode("ascii") if label.isascii() else label.encode("idna")
        if not 0 < len(data) < 64:
            raise ValueError(f"DNS name '{name}' has a label of {len(data)} octets, expected 1 to 63")
        octets += bytes([len(data)]) + data
    if len(octets) > 254:
        raise ValueError(f"DNS name '{name}' is longer than 255 octets")
    header = _HEADER.pack(identifier, RECURSION_DESIRED, 1, 0, 0, 0)
    return header + octets + b"\0" + _QUESTION.pack(kind, CLASS_IN)


def is_answer(data: bytes, query: bytes) -> bool:
    """Whether a datagram answers this query: same identifier, same question."""
    if len(data) < _HEADER.size:
        return False
    identifier, flags, questions, *_ = _HEADER.unpack_from(data)
    question = query[_HEADER.size :]
    echoed = data[_HEADER.size : _HEADER.size + len(question)]
    # A server that refuses or fails may leave the question out.
    same = questions == 0 or echoed.lower() == question.lower()
    return identifier == int.from_bytes(query[:2], "big") and bool(flags & RESPONSE) and same


def read_answer(data: bytes, kind: Kind) -> tuple[int, str]:
    """Return (how many addresses, "") or (0, what is wrong) of an answer; ValueError if it is damaged.

    A truncated answer counts as one address: the server works.
    """
    try:
        _, flags, questions, answers, _, _ = _HEADER.unpack_from(data)
        if rcode := flags & 0x0F:
            return 0, RCODES[rcode] if rcode < len(RCODES) else f"RCODE {rcode}"
        if flags & TRUNCATED:
            return 1, ""
        offset = _HEADER.size
        for _ in range(questions):
            offset = _skip_name(data, offset) + _QUESTION.size
        found = 0
        for _ in range(answers):
            offset = _skip_name(data, offset)
            record, _, _, length = _RECORD.unpack_from(data, offset)
            offset += _RECORD.size + length
            found += record == kind
    except (struct.error, IndexError):
        raise ValueError(f"DNS answer of {len(data)} octets ends before its records do") from None
    if offset > len(data):
        raise ValueError(f"DNS answer of {len(data)} octets ends before its records do")
    return found, "" if found else f"no {kind.name} record"


def _skip_name(data: bytes, offset: int) -> int:
    """Return where the octets after a name begin (RFC 1035 section 4.1.4)."""
    while length := data[offset]:
        if length & POINTER:
            return offset + 2
        offset += 1 + length
    return offset + 1
