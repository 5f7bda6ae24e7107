"""The NLRI of prefix routes: unicast, multicast, nlri-mpls and mpls-vpn, with `split`."""

from __future__ import annotations

from collections.abc import Iterator

from apid.grammar.draft import Draft
from apid.grammar.values import MAXIMUM_LABEL, hexadecimal_value, number, prefix_value, read
from apid.grammar.words import GrammarError, Token, Words, unknown_word
from bgp.family import AFI, AFI_NAMES, SAFI, SAFI_NAMES, Family
from bgp.nlri import WITHDRAWN_LABEL, LabelledPrefix, Prefix, VpnPrefix
from bgp.nlri import split as split_field

BOTTOM_OF_STACK = 1
IMPLICIT_NULL = 3  # RFC 3032: what a VPN route without label asks for
MULTICAST_BITS = 0xE0  # 224.0.0.0/4
MOST_SUBNETS = 1 << 20  # what one statement may be split into

AFIS = {name: afi for afi, name in AFI_NAMES.items()}
SAFIS = {name: safi for safi, name in SAFI_NAMES.items()} | {
    "flowspec": SAFI.FLOW,
    "labeled-unicast": SAFI.NLRI_MPLS,
    "labelled-unicast": SAFI.NLRI_MPLS,
}


def raw_labels(labels: tuple[int, ...]) -> tuple[int, ...]:
    """Turn 20-bit labels into the words of a stack, with bottom-of-stack on the last."""
    words = [label << 4 for label in labels]
    words[-1] |= BOTTOM_OF_STACK
    return tuple(words)


def read_family(words: Words) -> Family:
    """Read `AFI SAFI`, by name or number."""
    afi = read(words, "address family such as ipv4", _afi)
    return Family(afi, read(words, "sub-address family such as unicast", _safi))


def _afi(text: str) -> int:
    if text in AFIS:
        return AFIS[text]
    if text.isdigit():
        return number("address family", 0xFFFF)(text)
    raise ValueError(unknown_word(text, AFIS, "address family"))


def _safi(text: str) -> int:
    if text in SAFIS:
        return SAFIS[text]
    if text.isdigit():
        return number("sub-address family", 0xFF)(text)
    raise ValueError(unknown_word(text, SAFIS, "sub-address family"))


def read_prefix(words: Words, mask: bool = False) -> tuple[Token, bytes, int]:
    """Read a prefix; return its token for later errors, packed address and length. `mask` clears host bits."""
    address, length = read(words, "prefix", lambda text: prefix_value(text, mask))
    token = words.last()
    if token is None:
        raise words.wrong("prefix expected")
    return token, address, length


def prefix_family(address: bytes, draft: Draft) -> Family:
    """Tell the family of a `route`: by route distinguisher, label, and the IPv4 multicast range."""
    afi = AFI.IPV4 if len(address) == 4 else AFI.IPV6
    if draft.rd is not None:
        return Family(afi, SAFI.MPLS_VPN)
    if draft.labels is not None:
        return Family(afi, SAFI.NLRI_MPLS)
    if afi == AFI.IPV4 and address[0] & 0xF0 == MULTICAST_BITS:
        return Family(afi, SAFI.MULTICAST)
    return Family(afi, SAFI.UNICAST)


def check_family(family: Family, token: Token, address: bytes, draft: Draft) -> None:
    """Raise unless prefix, label and route distinguisher suit a family that was named."""
    if len(address) != (4 if family.afi == AFI.IPV4 else 16):
        raise GrammarError(f"prefix '{token.text}' is not {family.afi_name}, as {family} needs", token)
    if family.safi == SAFI.MPLS_VPN and draft.rd is None:
        raise GrammarError(f"'rd' is missing: {family} needs a route distinguisher", token)
    if family.safi != SAFI.MPLS_VPN and draft.rd is not None:
        raise GrammarError(f"'rd' is for mpls-vpn, not for {family}", token)
    if family.safi == SAFI.NLRI_MPLS and draft.labels is None and not draft.withdraw:
        raise GrammarError(f"'label' is missing: {family} needs it", token)
    if family.safi in (SAFI.UNICAST, SAFI.MULTICAST) and draft.labels is not None:
        raise GrammarError(f"'label' is for nlri-mpls and mpls-vpn, not for {family}", token)


def prefix_items(family: Family, token: Token, address: bytes, length: int, draft: Draft) -> tuple[bytes, ...]:
    """Build the items of a prefix, or of its subnets where the draft is to be split."""
    try:
        return tuple(
            _item(family, subnet, bits, draft) for subnet, bits in _subnets(token, address, length, draft.split)
        )
    except GrammarError:
        raise
    except ValueError as error:
        raise GrammarError(str(error), token) from None


def _item(family: Family, address: bytes, length: int, draft: Draft) -> bytes:
    """Build one item. A withdrawal without label carries RFC 8277's in its place."""
    if family.safi in (SAFI.UNICAST, SAFI.MULTICAST):
        return Prefix(family=family, path_id=draft.path_id, length=length, address=address).item()
    if draft.labels is not None:
        labels = raw_labels(draft.labels)
    else:
        labels = (WITHDRAWN_LABEL,) if draft.withdraw else raw_labels((IMPLICIT_NULL,))
    if draft.rd is None:
        labelled = LabelledPrefix(family=family, path_id=draft.path_id, labels=labels, length=length, address=address)
        return labelled.item()
    vpn = VpnPrefix(family=family, path_id=draft.path_id, labels=labels, rd=draft.rd, length=length, address=address)
    return vpn.item()


def _subnets(token: Token, address: bytes, length: int, split: int | None) -> Iterator[tuple[bytes, int]]:
    """Yield the subnets of a prefix; a split that is not longer yields the prefix itself."""
    size = len(address)
    if split is None or split <= length:
        yield address, length
        return
    if split > size * 8:
        raise GrammarError(f"split /{split} is longer than {size * 8} bits of '{token.text}'", token)
    count = 1 << (split - length)
    if count > MOST_SUBNETS:
        raise GrammarError(f"split /{split} of '{token.text}' makes {count} routes, at most {MOST_SUBNETS}", token)
    start = int.from_bytes(address, "big")
    step = 1 << (size * 8 - split)
    for index in range(count):
        yield (start + index * step).to_bytes(size, "big"), split


def raw_items(family: Family, text: str, draft: Draft) -> tuple[bytes, ...]:
    """Convert `0x…`, NLRIs as on the wire, to items; raises ValueError where the family cannot be so cut."""
    octets = hexadecimal_value(text, "NLRI")
    if not octets:
        raise ValueError("an NLRI has at least one octet")
    lead = draft.path_id.to_bytes(4, "big")
    return tuple(lead + item[len(lead) :] for item in split_field(family, octets, add_path=False))


def label_word(label: int) -> int:
    """Turn one label of EVPN into its raw 24-bit word (RFC 7432 section 7): up to 20 bits are an MPLS label.

    A larger number is a VNI, which takes all 24 bits (RFC 8365 section 5.1.3).
    """
    return label << 4 | BOTTOM_OF_STACK if label <= MAXIMUM_LABEL else label
