"""The schema of path attributes and of BGP messages other than UPDATE in events."""

from __future__ import annotations

from apid.render.names import CAPABILITIES, ORIGINS, PATH_SEGMENTS
from bgp.capability.add_path import MODE_NAMES
from tools.docs.shape import BOOLEAN, NUMBER, TEXT, Schema, either, fixed, keyed, listed, members, pattern, ref, word

HEX = "^0x([0-9A-F]{2})*$"
EITHER_HEX = "^0x([0-9A-Fa-f]{2})*$"
FAMILY_NAME = "^[a-z0-9-]+ [a-z0-9-]+$"
SLASHED_FAMILY = "^[a-z0-9-]+/[a-z0-9 -]+$"
ASNS = listed(NUMBER)
STRUCTURE = (
    "locator-block-length",
    "locator-node-length",
    "function-length",
    "argument-length",
    "transposition-length",
    "transposition-offset",
)


def _extended(value: Schema) -> Schema:
    """Describe a list of extended communities."""
    return listed(members({"value": value, "string": TEXT}), 1)


def _segments() -> Schema:
    """Describe an AS path as an object of numbered segments."""
    segment = members({"element": word(*PATH_SEGMENTS.values()), "value": ASNS})
    return keyed("^[0-9]+$", segment)


def attribute_definitions() -> dict[str, Schema]:
    """Return the definition of `attribute`, in all dialects, and what it needs."""
    service = listed(
        members(
            {"sid": ref("address"), "flags": NUMBER, "endpoint_behavior": NUMBER},
            {"structure": members(dict.fromkeys(STRUCTURE, NUMBER))},
        )
    )
    prefix_sid = {
        "type": "object",
        "properties": {
            "sr-label-index": NUMBER,
            "sr-srgbs": listed(fixed(NUMBER, NUMBER), 1),
            "l3-service": service,
            "l2-service": service,
        },
        "patternProperties": {"^attribute-not-implemented-[0-9]+$": pattern(HEX)},
        "additionalProperties": False,
    }
    properties = {
        "origin": word(*ORIGINS.values()),
        # A list in the dialect 4.0.1, which has two more members for what is no sequence.
        "as-path": either(_segments(), ASNS),
        "as-set": ASNS,
        "confederation-path": ASNS,
        "med": NUMBER,
        "local-preference": NUMBER,
        "atomic-aggregate": {"const": True},
        "aggregator": pattern(r"^[0-9]+:[0-9.]+$"),
        "community": listed(fixed(NUMBER, NUMBER), 1),
        "originator-id": ref("address"),
        "cluster-list": listed(ref("address"), 1),
        "extended-community": _extended(NUMBER),
        "extended-community-ipv6": _extended(NUMBER),
        "large-community": listed(fixed(NUMBER, NUMBER, NUMBER), 1),
        "aigp": pattern("^0x([0-9a-f]{16})?$"),
        "pmsi": pattern("^pmsi:"),
        "bgp-prefix-sid": prefix_sid,
        "bgp-ls": {"type": "object", "propertyNames": pattern("^[a-z][a-z0-9-]*$")},
        "error": word("treat-as-withdraw", "discard"),
    }
    return {
        "attribute": {
            "type": "object",
            "properties": properties,
            "patternProperties": {"^attribute-0x[0-9A-F]{2}-0x[0-9A-F]{2}$": pattern(EITHER_HEX)},
            "additionalProperties": False,
        }
    }


def message_definitions() -> dict[str, Schema]:
    """Return the definitions of the other messages."""
    family = pattern(FAMILY_NAME)
    slashed = pattern(SLASHED_FAMILY)
    flags = listed(TEXT)
    names = "|".join(CAPABILITIES.values())
    capability = either(
        members({"name": word("multiprotocol"), "families": listed(slashed)}),
        members({"name": word("nexthop"), "conversion": listed(TEXT)}),
        members(
            {
                "name": word("graceful restart"),
                "time": NUMBER,
                "address-family-flags": {"type": "object", "additionalProperties": flags},
                "restart-flags": flags,
            }
        ),
        members({"name": word("asn4"), "asn4": NUMBER}),
        members({"name": word("multisession"), "variant": word("RFC", "Cisco"), "capabilities": listed(TEXT)}),
        {
            "type": "object",
            "properties": {"name": word("addpath")},
            "required": ["name"],
            "patternProperties": {SLASHED_FAMILY: either(word(*MODE_NAMES.values()), pattern(r"^invalid \([0-9]+\)$"))},
            "additionalProperties": False,
        },
        members({"name": word("route-refresh"), "variant": word("RFC", "Cisco")}),
        members({"name": word("enhanced-route-refresh", "operational")}),
        members({"name": word("extended-message"), "size": NUMBER}),
        members({"host-name": TEXT, "domain-name": TEXT}),
        members({"software": TEXT}),
        members(
            {
                "name": word("unknown"),
                "iana": word("reserved", "unassigned", "unknown"),
                "value": NUMBER,
                "raw": pattern("^([0-9A-F]{2})*$"),
            }
        ),
    )
    return {
        "open": members(
            {
                "version": NUMBER,
                "asn": NUMBER,
                "hold_time": NUMBER,
                "router_id": ref("address"),
                # By number where it was received, by name where it was sent.
                "capabilities": keyed(f"^([0-9]+|{names})$", capability) | {"minProperties": 0},
            }
        ),
        "notification": members({"code": NUMBER, "subcode": NUMBER, "data": pattern(HEX)}, {"message": TEXT}),
        "route-refresh": members(
            {
                "afi": TEXT,
                "safi": TEXT,
                "subtype": either(word("query", "begin", "end"), pattern("^[0-9]+$")),
            }
        ),
        "operational": members(
            {"name": TEXT, "afi": TEXT, "safi": TEXT},
            {"advisory": TEXT, "router-id": ref("address"), "sequence": NUMBER, "counter": NUMBER},
        ),
        "negotiated": members(
            {
                "message_size": NUMBER,
                "hold_time": NUMBER,
                "asn4": BOOLEAN,
                "multisession": BOOLEAN,
                "operational": BOOLEAN,
                "refresh": word("absent", "normal", "enhanced"),
                "families": listed(family),
                "nexthop": listed(TEXT),
                "add_path": members({"send": listed(family), "receive": listed(family)}),
            }
        ),
        "octets": members({"category": NUMBER, "header": pattern(HEX), "body": pattern(HEX)}),
        "end-of-rib": members({"afi": TEXT, "safi": TEXT}),
    }
