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
from typing import TypeVar

from apid.grammar.draft import Draft, Setter, octets_setter, read_headed
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

T = TypeVar("T")

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


def _read(words: Words, draft: Draft, own: Callable[[], T]) -> tuple[T, bytes]:
    """Read a kind's own words by `own`, then what all kinds share; return the former and the route distinguisher."""
    found = read_headed(words, draft, own, KEYWORDS)
    return found, draft.need_rd(words)


def _tag(words: Words) -> int:
    return read(words, "Ethernet tag", number("Ethernet tag"))


def _tag_or_none(words: Words) -> int:
    return _tag(words) if digits(words.peek()) else 0


def _one_label(draft: Draft) -> int:
    return label_word(draft.labels[0]) if draft.labels else label_word(0)


def _mac_and_address(words: Words) -> tuple[bytes, bytes | None, int]:
    mac = read(words, "MAC address", mac_value)
    address = None if digits(words.peek()) else read(words, "IP address or Ethernet tag", address_value)
    return mac, address, _tag(words)


def _mac_advertisement(words: Words, draft: Draft) -> NLRI:
    (mac, address, tag), rd = _read(words, draft, lambda: _mac_and_address(words))
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
    (address, tag), rd = _read(words, draft, lambda: (read(words, "IP address", address_value), _tag_or_none(words)))
    return InclusiveMulticast(family=L2VPN_EVPN, rd=rd, path_id=draft.path_id, ethernet_tag=tag, address=address)


def _ethernet_auto_discovery(words: Words, draft: Draft) -> NLRI:
    (esi, tag), rd = _read(words, draft, lambda: (read(words, "ESI", esi_value), _tag(words)))
    return EthernetAutoDiscovery(
        family=L2VPN_EVPN, path_id=draft.path_id, rd=rd, esi=esi, ethernet_tag=tag, label=_one_label(draft)
    )


def _ethernet_segment(words: Words, draft: Draft) -> NLRI:
    (esi, address), rd = _read(
        words, draft, lambda: (read(words, "ESI", esi_value), read(words, "IP address", address_value))
    )
    return EthernetSegment(family=L2VPN_EVPN, rd=rd, path_id=draft.path_id, esi=esi, address=address)


def _prefix(words: Words, draft: Draft) -> NLRI:
    ((_, address, length), tag), rd = _read(words, draft, lambda: (read_prefix(words), _tag_or_none(words)))
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
