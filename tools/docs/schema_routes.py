"""The schema of routes in events: what each family's routes say, and the two layouts that they stand in."""

from __future__ import annotations

from msgspec import Struct

from apid.config.model import ALL_FAMILIES
from apid.render.flow_text import IPV6_NAMES, NAMES
from bgp.family import FAMILIES
from tools.docs.shape import NUMBER, TEXT, Schema, either, keyed, listed, members, pattern, ref, word

ADDRESS = r"^([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|[0-9a-f:]+(:[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)?|0x[0-9A-F]*)$"
PREFIX = r"^[0-9a-f:.]+/[0-9]+$"
NEXT_HOP = ADDRESS.replace("^(", "^(no-nexthop|")
UNKNOWN_FAMILY = "[a-z0-9-]+ [a-z0-9-]+"


class Kind(Struct, frozen=True):
    """One form of a route: its members, and whether it is a prefix, which stands beside them or as a key."""

    required: Schema
    optional: Schema | None = None
    prefix: bool = False


RD = {"rd": ref("rd")}
RAW = {"raw": pattern("^[0-9A-F]*$")}
OPAQUE = Kind({"parsed": {"const": False}} | RAW)
UNKNOWN_TYPE = Kind({"code": NUMBER, "parsed": {"const": False}} | RAW)
LABELS = {"label": listed(ref("label"), 1)}


def _coded(code: int, name: str, required: Schema, optional: Schema | None = None) -> Kind:
    """Describe a route of a family whose routes have types."""
    head = {"code": {"const": code}, "parsed": {"const": True}, "name": word(name)}
    return Kind(head | RAW | RD | required, optional)


def _mup(code: int, name: str, required: Schema, optional: Schema | None = None) -> Kind:
    head = {"name": word(name), "arch": NUMBER, "code": {"const": code}}
    return Kind(head | RAW | RD | required, optional)


IP = ref("address")
SEGMENT = {"esi": TEXT, "ethernet-tag": NUMBER}
JOIN = {"source-as": pattern("^[0-9]+$"), "source": IP, "group": IP}
FLOW = Kind(
    {"string": pattern("^flow")},
    {name: listed(TEXT, 1) for name in {**dict.fromkeys(NAMES.values()), **dict.fromkeys(IPV6_NAMES.values())}}
    | RD
    | {"next-hop": IP},
)
EVPN = (
    _coded(1, "Ethernet Auto-Discovery", SEGMENT | LABELS),
    _coded(2, "MAC/IP advertisement", SEGMENT | LABELS | {"mac": TEXT}, {"ip": IP}),
    _coded(3, "Inclusive Multicast Ethernet Tag", {"ethernet-tag": NUMBER, "ip": IP}),
    _coded(4, "Ethernet Segment", {"esi": TEXT, "ip": IP}),
    _coded(5, "IP Prefix Advertisement", SEGMENT | LABELS | {"ip": IP, "iplen": NUMBER, "gateway": IP}),
    UNKNOWN_TYPE,
)
MCAST_VPN = (
    _coded(5, "Source Active A-D Route", {"source": IP, "group": IP}),
    _coded(6, "C-Multicast Shared Tree Join route", JOIN),
    _coded(7, "C-Multicast Source Tree Join route", JOIN),
    UNKNOWN_TYPE,
)
PREFIX_IP = {"prefix_ip_len": NUMBER, "prefix_ip": IP}
DIGITS = pattern("^[0-9]+$")
MUP = (
    _mup(1, "InterworkSegmentDiscoveryRoute", PREFIX_IP),
    _mup(2, "DirectSegmentDiscoveryRoute", {"ip": IP}),
    _mup(
        3,
        "Type1SessionTransformedRoute",
        PREFIX_IP | {"teid": DIGITS, "qfi": DIGITS, "endpoint_ip_len": NUMBER, "endpoint_ip": IP},
        {"source_ip_len": NUMBER, "source_ip": IP},
    ),
    _mup(4, "Type2SessionTransformedRoute", {"endpoint_len": NUMBER, "endpoint_ip": IP, "teid": DIGITS}),
    Kind({"arch": NUMBER, "code": NUMBER} | RAW),
)
NODES = listed(keyed("^[a-z][a-z0-9-]*$", {"type": ["string", "integer", "null"]}))
LINK_STATE = {"ls-nlri-type": TEXT, "l3-routing-topology": NUMBER, "protocol-id": NUMBER}
BGP_LS = (
    Kind(
        LINK_STATE,
        RD
        | {
            "node-descriptors": NODES,
            "local-node-descriptors": NODES,
            "remote-node-descriptors": NODES,
            "interface-addresses": listed(IP),
            "neighbor-addresses": listed(IP),
            "multi-topology-ids": listed({}),
            "link-identifiers": listed({"type": "object"}),
            "ip-reachability-tlv": {},
            "ip-reach-prefix": {},
            "ospf-route-type": {},
            "srv6-sid-descriptors": {"type": "object"},
            "nexthop": TEXT,
        },
    ),
    UNKNOWN_TYPE,
)
NUMBERS = ("endpoint", "base", "offset", "size")
KINDS: dict[str, tuple[Kind, ...]] = {
    "unicast": (Kind({}, prefix=True),),
    "multicast": (Kind({}, prefix=True),),
    "nlri-mpls": (Kind(LABELS, prefix=True),),
    "mpls-vpn": (Kind(LABELS | RD, prefix=True),),
    "flow": (FLOW,),
    "flow-vpn": (FLOW,),
    "vpls": (Kind(RD | dict.fromkeys(NUMBERS, NUMBER)),),
    "evpn": EVPN,
    "mcast-vpn": MCAST_VPN,
    "mup": MUP,
    "rtc": (Kind({"origin": NUMBER, "route-target": {"type": ["string", "null"]}}),),
    "bgp-ls": BGP_LS,
    "bgp-ls-vpn": BGP_LS,
    "sr-policy": (Kind({"distinguisher": NUMBER, "color": NUMBER, "endpoint": IP}),),
}
"""What the routes of a SAFI say; a route that is damaged inside is `OPAQUE`."""
SAME_AS = {"multicast": "unicast", "flow-vpn": "flow", "bgp-ls-vpn": "bgp-ls"}
OTHER = "other"
PATH_ID = {"path-information": ref("path-information")}


def _listed_route(kind: Kind) -> Schema:
    """Describe a route as it stands in a list of ExaBGP's layout."""
    prefix = {"nlri": ref("prefix")} if kind.prefix else {}
    return members(prefix | kind.required, PATH_ID | (kind.optional or {}))


def _keyed_path(kind: Kind) -> Schema:
    """Describe a path of a route that is a key."""
    return members(kind.required, PATH_ID | {"next-hop": IP} | (kind.optional or {}))


def _families(values: dict[str, Schema]) -> Schema:
    """Describe an object keyed by family; `values` are by SAFI, `other` is for families without a name."""
    afis: dict[str, list[str]] = {}
    for family in dict.fromkeys((*ALL_FAMILIES, *FAMILIES.values())):
        afis.setdefault(family.safi_name, []).append(family.afi_name)
    known = {f"({'|'.join(names)}) {safi}": values[safi] for safi, names in afis.items()}
    patterns = {f"^{names}$": value for names, value in known.items()}
    patterns[f"^(?!({'|'.join(known)})$){UNKNOWN_FAMILY}$"] = values[OTHER]
    return {"type": "object", "patternProperties": patterns, "additionalProperties": False, "minProperties": 1}


def route_definitions() -> dict[str, Schema]:
    """Return the definitions that `update` is made of."""
    found: dict[str, Schema] = {
        "address": pattern(ADDRESS),
        "prefix": pattern(PREFIX),
        "rd": pattern(r"^([0-9.]+:[0-9]+|0x[0-9A-F]{16})$"),
        "label": listed(NUMBER, 1) | {"maxItems": 2},
        "path-information": pattern(r"^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$"),
    }
    by_next_hop, withdrawn, by_prefix, withdrawn_keys = {}, {}, {}, {}
    for safi in (*KINDS, OTHER):
        same = SAME_AS.get(safi, safi)
        routes, path = listed(ref(f"route-{same}")), ref(f"path-{same}")
        if same == safi:
            kinds = (*KINDS.get(safi, ()), OPAQUE)
            strings = (ref("prefix"),) if safi == "unicast" else ()  # a bare prefix where api.compact is set
            found[f"route-{safi}"] = either(*(_listed_route(kind) for kind in kinds), *strings)
            found[f"path-{safi}"] = either(*(_keyed_path(kind) for kind in kinds))
        by_next_hop[safi] = keyed(NEXT_HOP, routes)
        withdrawn[safi] = routes
        by_prefix[safi] = keyed("^.", listed(path, 1))
        without_next_hop = {"allOf": [path], "not": {"required": ["next-hop"]}}
        withdrawn_keys[safi] = keyed("^.", either(without_next_hop, listed(without_next_hop, 2)))
    for name, values in (
        ("announce-by-next-hop", by_next_hop),
        ("withdraw-by-next-hop", withdrawn),
        ("announce-by-prefix", by_prefix),
        ("withdraw-by-prefix", withdrawn_keys),
    ):
        found[name] = _families(values)
    for layout in ("by-next-hop", "by-prefix"):
        found[f"update-{layout}"] = members(
            {},
            {
                "attribute": ref("attribute"),
                "announce": ref(f"announce-{layout}"),
                "withdraw": ref(f"withdraw-{layout}"),
            },
        )
    return found
