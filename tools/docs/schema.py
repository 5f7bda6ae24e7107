"""The JSON Schema of everything that a JSON helper can read: `docs/events.schema.json`."""

from __future__ import annotations

from apid.render.dialect import DIALECTS
from tools.docs.schema_attributes import HEX, attribute_definitions, message_definitions
from tools.docs.schema_routes import route_definitions
from tools.docs.shape import NUMBER, TEXT, Schema, either, members, pattern, ref, word

WITHOUT_ROUTER_ID = "4.0.1"
STATES = ("IDLE", "ACTIVE", "CONNECT", "OPENSENT", "OPENCONFIRM", "ESTABLISHED")
NEGOTIATED = {"negotiated": ref("negotiated")}


def _neighbor(required: Schema, optional: Schema | None = None) -> Schema:
    """Describe the `neighbor` of one kind of event."""
    common = {"address": ref("addresses"), "asn": ref("asns")}
    return members(common | required, {"router-id": ref("address")} | (optional or {}))


def _event(kind: Schema, neighbor: Schema, octets: bool = False) -> Schema:
    """Describe an event of a neighbor; `octets` says that it may be consolidated."""
    consolidated = {"header": pattern(HEX), "body": pattern(HEX)} if octets else {}
    return members(_envelope() | {"counter": NUMBER, "type": kind, "neighbor": neighbor}, consolidated)


def _envelope() -> Schema:
    """Return the members that every event begins with."""
    return {
        "exabgp": word(*DIALECTS),
        "time": {"type": "number"},
        "host": TEXT,
        "pid": NUMBER,
        "ppid": NUMBER,
    }


def _message(kind: str, required: Schema, optional: Schema | None = None) -> Schema:
    """Describe a decoded message, consolidated or not."""
    return _event(word(kind), _neighbor({"direction": ref("direction")} | required, optional), octets=True)


def _notice(text: str, more: Schema) -> Schema:
    """Describe what the daemon says of itself."""
    return members(_envelope() | {"type": word("notification"), "notification": word(text)} | more)


def event_definitions() -> dict[str, Schema]:
    """Return one definition for each kind of event."""
    packets = either(
        word("open", "update", "notification", "keepalive", "route-refresh", "operational"), pattern("^unknown-[0-9]+$")
    )
    states = _neighbor({"state": word("connected", "up", "down")}, {"reason": TEXT})
    states["if"] = {"properties": {"state": word("down")}}
    states["then"] = {"required": ["reason"]}
    states["else"] = {"properties": {"reason": False}}
    return {
        "event-state": _event(word("state"), states),
        "event-fsm": _event(word("fsm"), _neighbor({"state": word(*STATES)})),
        "event-signal": _event(word("signal"), _neighbor({"code": pattern("^[0-9]+$"), "name": TEXT})),
        "event-negotiated": _event(word("negotiated"), _neighbor(NEGOTIATED)),
        "event-open": _message("open", {"open": ref("open")}),
        "event-update": _message(
            "update",
            {"message": either(members({"update": ref("update")}), members({"eor": ref("end-of-rib")}))},
            NEGOTIATED,
        ),
        "event-notification": _message("notification", {"notification": ref("notification")}),
        "event-keepalive": _message("keepalive", {}),
        "event-refresh": _message("refresh", {"route-refresh": ref("route-refresh")}),
        "event-operational": _message("operational", {"operational": ref("operational")}),
        "event-octets": _event(
            packets, _neighbor({"direction": ref("direction"), "message": ref("octets")}, NEGOTIATED)
        ),
        "notice-shutdown": _notice("shutdown", {}),
        "notice-lost": _notice("lost", {"lost": NUMBER}),
    }


def event_schema() -> Schema:
    """Return the whole schema."""
    events = event_definitions()
    with_router_id = {"properties": {"neighbor": {"required": ["router-id"]}}}
    without_router_id = {"properties": {"neighbor": {"properties": {"router-id": False}}}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Events of bgpbus",
        "description": (
            "One line that a JSON helper reads on its stdin, in any of the three dialects (the member exabgp) and "
            "either layout (update-by-next-hop as ExaBGP prints it, update-by-prefix). docs/events.md explains it."
        ),
        "anyOf": [ref(name) for name in events],
        "if": {"properties": {"exabgp": word(WITHOUT_ROUTER_ID)}},
        "then": without_router_id,
        "else": with_router_id,
        "$defs": {
            **events,
            "number": {"type": "integer", "minimum": 0},
            "direction": word("send", "receive", "in"),
            "addresses": members({"local": TEXT, "peer": TEXT}),
            "asns": members({"local": NUMBER, "peer": NUMBER}),
            "update": either(ref("update-by-next-hop"), ref("update-by-prefix")),
            **message_definitions(),
            **attribute_definitions(),
            **route_definitions(),
        },
    }
