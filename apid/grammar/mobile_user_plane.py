"""Mobile user plane routes (draft-ietf-bess-mup-safi): `mup-isd`, `mup-dsd`, `mup-t1st`, `mup-t2st`."""

from __future__ import annotations

from collections.abc import Callable

from apid.grammar.draft import Draft, Setter, number_setter, octets_setter, read_headed
from apid.grammar.nlri import read_prefix
from apid.grammar.values import MAXIMUM_32, address_value, any_number, number, read
from apid.grammar.words import GrammarError, Token, Words, unknown_word
from bgp.family import AFI, SAFI, Family
from bgp.nlri import (
    NLRI,
    DirectSegmentDiscovery,
    InterworkSegmentDiscovery,
    Type1SessionTransformed,
    Type2SessionTransformed,
)

IPV4_MAPPED = bytes(10) + b"\xff\xff"  # RFC 4291 section 2.5.5.2
TEID_BITS = 32

_SESSION: dict[str, Setter] = {
    "teid": number_setter("teid", MAXIMUM_32),
    "qfi": number_setter("qfi", 0xFF),
    "endpoint": octets_setter("endpoint"),
    "source": octets_setter("source"),
}


def read_mobile_user_plane(words: Words, draft: Draft, afi: int) -> tuple[Family, tuple[bytes, ...]]:
    """Read what follows `mup` into family and items."""
    token = words.token("kind of mup route")
    if token.text not in KINDS:
        raise GrammarError(unknown_word(token.text, KINDS, "mup route"), token)
    family = Family(afi, SAFI.MUP)
    nlri = KINDS[token.text](words, draft, family)
    draft.need_next_hop(words)
    if afi == AFI.IPV6 and draft.next_hop is not None and len(draft.next_hop) == 4:
        draft.next_hop = IPV4_MAPPED + draft.next_hop
    return family, (nlri.item(),)


def _check(token: Token | None, address: bytes, family: Family) -> None:
    if len(address) != (4 if family.afi == AFI.IPV4 else 16):
        raise GrammarError(f"'{token}' is not {family.afi_name}, as {family} needs", token)


def _prefix(words: Words, family: Family) -> tuple[bytes, int]:
    token, address, length = read_prefix(words, mask=True)
    _check(token, address, family)
    return address, length


def _address(words: Words, family: Family) -> bytes:
    address = read(words, "IP address", address_value)
    _check(words.last(), address, family)
    return address


def _interwork(words: Words, draft: Draft, family: Family) -> NLRI:
    address, length = read_headed(words, draft, lambda: _prefix(words, family))
    rd = draft.need_rd(words)
    return InterworkSegmentDiscovery(family=family, path_id=draft.path_id, rd=rd, length=length, address=address)


def _direct(words: Words, draft: Draft, family: Family) -> NLRI:
    address = read_headed(words, draft, lambda: _address(words, family))
    return DirectSegmentDiscovery(family=family, path_id=draft.path_id, rd=draft.need_rd(words), address=address)


def _type_1(words: Words, draft: Draft, family: Family) -> NLRI:
    address, length = read_headed(words, draft, lambda: _prefix(words, family), _SESSION)
    return Type1SessionTransformed(
        family=family,
        path_id=draft.path_id,
        rd=draft.need_rd(words),
        length=length,
        address=address,
        teid=draft.number("teid", words),
        qfi=draft.number("qfi", words),
        endpoint=draft.address("endpoint", words),
        source=draft.octets.get("source"),
    )


def _teid_and_bits(words: Words, draft: Draft) -> None:
    """Read `TEID/BITS`: the number that the BITS leading bits of the TEID make."""

    def convert(text: str) -> tuple[int, int]:
        teid_text, slash, bits_text = text.partition("/")
        if not slash:
            raise ValueError(f"teid '{text}' is not of the form TEID/BITS")
        bits = number("teid length", TEID_BITS)(bits_text)
        return any_number("teid", (1 << bits) - 1)(teid_text), bits

    draft.numbers["teid"], draft.numbers["teid-bits"] = read(words, "TEID/BITS", convert)


_TEID: dict[str, Setter] = {"teid": _teid_and_bits}


def _type_2(words: Words, draft: Draft, family: Family) -> NLRI:
    address = read_headed(words, draft, lambda: _address(words, family), _TEID)
    teid = draft.number("teid", words)
    return Type2SessionTransformed(
        family=family,
        path_id=draft.path_id,
        rd=draft.need_rd(words),
        length=len(address) * 8 + draft.numbers["teid-bits"],
        endpoint=address,
        teid=teid,
    )


KINDS: dict[str, Callable[[Words, Draft, Family], NLRI]] = {
    "mup-isd": _interwork,
    "mup-dsd": _direct,
    "mup-t1st": _type_1,
    "mup-t2st": _type_2,
}
