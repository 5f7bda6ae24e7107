"""The DNS question and answer of the health check (RFC 1035)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apid.healthcheck.dns import Kind, encode_query, is_answer, read_answer

QUERY = bytes.fromhex("1234 0100 0001 0000 0000 0000 03777777076578616d706c6503636f6d00 0001 0001")
QUESTION = QUERY[12:]


def answer(
    flags: int, records: bytes = b"", count: int = 0, question: bytes = QUESTION, identifier: int = 0x1234
) -> bytes:
    header = b"".join(n.to_bytes(2, "big") for n in (identifier, flags, 1 if question else 0, count, 0, 0))
    return header + question + records


A = bytes.fromhex("c00c 0001 0001 0000003c 0004 c0000250")
CNAME = bytes.fromhex("c00c 0005 0001 0000003c 0006 03777777c010")
LONG_NAME_A = bytes.fromhex("03777777c010 0001 0001 0000003c 0004 c0000250")
AAAA = bytes.fromhex("c00c 001c 0001 0000003c 0010 20010db8000000000000000000000053")


def test_a_query_is_encoded() -> None:
    assert encode_query(0x1234, "www.example.com", Kind.A) == QUERY
    assert encode_query(0x1234, "www.example.com.", Kind.A) == QUERY
    assert encode_query(1, "a.", Kind.AAAA).hex() == "000101000001000000000000" + "016100" + "001c0001"
    assert b"xn--bcher-kva" in encode_query(1, "bücher.example", Kind.A)


@pytest.mark.parametrize("name", ["", ".", "a..b", "x" * 64, ".".join(["x" * 60] * 5)])
def test_a_name_that_cannot_be_asked_for_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="DNS name"):
        encode_query(1, name, Kind.A)


@pytest.mark.parametrize(
    ("data", "kind", "expected"),
    [
        (answer(0x8180, A, 1), Kind.A, (1, "")),
        (answer(0x8180, A + A, 2), Kind.A, (2, "")),
        (answer(0x8180, CNAME + LONG_NAME_A, 2), Kind.A, (1, "")),
        (answer(0x8180, AAAA, 1), Kind.AAAA, (1, "")),
        (answer(0x8180, CNAME, 1), Kind.A, (0, "no A record")),
        (answer(0x8180), Kind.AAAA, (0, "no AAAA record")),
        (answer(0x8180, A, 1, question=b""), Kind.A, (1, "")),
        (answer(0x8182), Kind.A, (0, "SERVFAIL")),
        (answer(0x8183), Kind.A, (0, "NXDOMAIN")),
        (answer(0x8185), Kind.A, (0, "REFUSED")),
        (answer(0x818B), Kind.A, (0, "RCODE 11")),
        (answer(0x8380), Kind.A, (1, "")),
    ],
)
def test_an_answer_is_read(data: bytes, kind: Kind, expected: tuple[int, str]) -> None:
    assert read_answer(data, kind) == expected


@pytest.mark.parametrize("length", range(len(answer(0x8180, CNAME + LONG_NAME_A, 2))))
def test_a_truncated_answer_is_damage(length: int) -> None:
    with pytest.raises(ValueError, match="DNS answer of"):
        read_answer(answer(0x8180, CNAME + LONG_NAME_A, 2)[:length], Kind.A)


@given(st.binary(max_size=80))
def test_no_datagram_raises_anything_else(data: bytes) -> None:
    is_answer(data, QUERY)
    with contextlib.suppress(ValueError):
        read_answer(data, Kind.A)


def test_only_the_answer_to_our_query_is_one() -> None:
    assert is_answer(answer(0x8180, A, 1), QUERY)
    assert is_answer(answer(0x8180, A, 1, QUESTION.replace(b"www", b"WWW")), QUERY)
    assert is_answer(answer(0x8185, question=b""), QUERY)
    assert not is_answer(answer(0x8180, identifier=0x1235), QUERY)
    assert not is_answer(answer(0x0100), QUERY)
    assert not is_answer(answer(0x8180, question=QUESTION.replace(b"www", b"wwx")), QUERY)
    assert not is_answer(b"\x12\x34", QUERY)
