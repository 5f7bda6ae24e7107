"""EVPN routes (RFC 7432, RFC 9136): `evpn KIND …`, each kind's own words first, then attributes.

    evpn macadvertisement MAC [IP] TAG rd R [esi E] [label L | label [ L L ]] route-target [ … ]
    evpn multicast IP [TAG] rd R
    evpn ethernet-ad ESI TAG rd R [label L]
    evpn ethernet-segment ESI IP rd R
    evpn prefix PREFIX [TAG] rd R [esi E] [gateway IP] [label L]

TAG is the Ethernet tag. A label above 20 bits is a VNI. Without `next-hop` it is `self`, as overlays want it.
"""

from __future__ import annotations

from collections.abc import Callable

from apid.grammar.draft import Draft, Setter, octets_setter, read_draft
from apid.grammar.nlri import label_word, read_prefix
from apid.grammar.values import ESI_OCTETS, address_value, digits, esi_value, mac_value, number, read, read_list
from apid.grammar.words import Words, unknown_word
from bgp.family import L2VPN_EVPN, Family
from bgp.nlri import (
    NLRI,
    EthernetAutoDiscovery,
    EthernetSegment,
    InclusiveMulticast,
    IpPrefix,
    MacAdvertisement,
)

NO_ESI = bytes(ESI_OCTETS)
MOST_LABELS = 2  # of a MAC advertisement: layer 2, then layer 3
MAXIMUM_VNI = 0xFFFFFF


def _label(words: Words, draft: Draft) -> None:
    """Read a label or VNI, 24 bits."""
    labels = read_list(words, "label", number("label", MAXIMUM_VNI))
    if not 1 <= len(labels) <= MOST_LABELS:
        raise words.wrong(f"an EVPN route has 1 or {MOST_LABELS} labels, not {len(labels)}")
    draft.labels = tuple(labels)


KEYWORDS: dict[str, Setter] = {
    "label": _label,
    "esi": octets_setter("esi", esi_value),
    "gateway": octets_setter("gateway"),
}


def read_evpn(words: Words, draft: Draft) -> tuple[Family, tuple[bytes, ...]]:
    """Read what follows `evpn` into family and items."""
    token = words.token("kind of EVPN route")
    if token.text not in KINDS:
        raise words.wrong(unknown_word(token.text, KINDS, "EVPN route"))
    nlri = KINDS[token.text](words, draft)
    if draft.next_hop is None:
        draft.next_hop = b""
    return L2VPN_EVPN, (nlri.item(),)


def _rest(words: Words, draft: Draft) -> bytes:
    """Read what all kinds share; return the route distinguisher."""
    read_draft(words, draft, KEYWORDS)
    return draft.need_rd(words)


def _tag(words: Words) -> int:
    return read(words, "Ethernet tag", number("Ethernet tag"))


def _one_label(draft: Draft) -> int:
    return label_word(draft.labels[0]) if draft.labels else label_word(0)


def _mac_advertisement(words: Words, draft: Draft) -> NLRI:
    mac = read(words, "MAC address", mac_value)
    address = None if digits(words.peek()) else read(words, "IP address or Ethernet tag", address_value)
    tag = _tag(words)
    rd = _rest(words, draft)
    return MacAdvertisement(
        family=L2VPN_EVPN,
        path_id=draft.path_id,
        rd=rd,
        esi=draft.octets.get("esi", NO_ESI),
        ethernet_tag=tag,
        mac=mac,
        address=address,
        labels=tuple(label_word(label) for label in draft.labels or (0,)),
    )


def _multicast(words: Words, draft: Draft) -> NLRI:
    address = read(words, "IP address", address_value)
    tag = _tag(words) if digits(words.peek()) else 0
    return InclusiveMulticast(
        family=L2VPN_EVPN, rd=_rest(words, draft), path_id=draft.path_id, ethernet_tag=tag, address=address
    )


def _ethernet_auto_discovery(words: Words, draft: Draft) -> NLRI:
    esi = read(words, "ESI", esi_value)
    tag = _tag(words)
    rd = _rest(words, draft)
    return EthernetAutoDiscovery(
        family=L2VPN_EVPN, path_id=draft.path_id, rd=rd, esi=esi, ethernet_tag=tag, label=_one_label(draft)
    )


def _ethernet_segment(words: Words, draft: Draft) -> NLRI:
    esi = read(words, "ESI", esi_value)
    address = read(words, "IP address", address_value)
    return EthernetSegment(family=L2VPN_EVPN, rd=_rest(words, draft), path_id=draft.path_id, esi=esi, address=address)


def _prefix(words: Words, draft: Draft) -> NLRI:
    _, address, length = read_prefix(words)
    tag = _tag(words) if digits(words.peek()) else 0
    rd = _rest(words, draft)
    return IpPrefix(
        family=L2VPN_EVPN,
        path_id=draft.path_id,
        rd=rd,
        esi=draft.octets.get("esi", NO_ESI),
        ethernet_tag=tag,
        length=length,
        address=address,
        gateway=draft.octets.get("gateway", bytes(len(address))),
        label=_one_label(draft),
    )


KINDS: dict[str, Callable[[Words, Draft], NLRI]] = {
    "ethernet-ad": _ethernet_auto_discovery,
    "macadvertisement": _mac_advertisement,
    "mac": _mac_advertisement,
    "multicast": _multicast,
    "ethernet-segment": _ethernet_segment,
    "prefix": _prefix,
}
