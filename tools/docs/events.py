"""The generated examples of docs/events.md: what helpers read, made by the renderer from real messages.

Routes are those of `tools.docs.examples`: read by the grammar, packed as a session packs them, and rendered as the
helper of the peer reads them.
"""

from __future__ import annotations

import json

from msgspec.structs import replace

from apid.grammar.command import parse_command
from apid.grammar.command_kinds import RouteChange
from apid.render import RECEIVE, SEND, Form, NeighborContext, ProcessContext, Renderer
from bgp.capability import (
    AddPath,
    EnhancedRouteRefresh,
    ExtendedMessage,
    FourOctetAsn,
    GracefulRestart,
    Hostname,
    Multiprotocol,
    RouteRefresh,
)
from bgp.family import FAMILIES, IPV4_UNICAST, IPV6_UNICAST
from bgp.message import MessageType, build
from bgp.negotiated import Negotiated
from bgp.notification import ADMINISTRATIVE_RESET, CEASE, Notification
from bgp.open import Open
from bgp.operational import OPERATIONAL_NAMES, Operational
from bgp.pack import Packer, end_of_rib
from bgp.refresh import Refresh
from bgp.shape import Shape
from tools.docs.examples import ROUTES
from tools.docs.layout import laid_out
from tools.docs.markdown import block

WHEN = 1795316966.25
WIDTH = 112
OURS, THEIRS = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))
NEIGHBOR = NeighborContext("192.0.2.2", "192.0.2.1", 65001, 65002, "192.0.2.1")
PROCESS = ProcessContext("router7", 20372, 20365)
NEGOTIATED = Negotiated(
    local_as=65001,
    peer_as=65002,
    hold_time=180,
    asn4=True,
    families=tuple(FAMILIES.values()),
    refresh="enhanced",
    aigp=True,
)
SESSION = replace(NEGOTIATED, families=(IPV4_UNICAST, IPV6_UNICAST), message_size=65535)
ADD_PATH = replace(SESSION, add_path_receive=frozenset((IPV4_UNICAST,)), add_path_send=frozenset((IPV4_UNICAST,)))
LABELLED = replace(SESSION, families=(FAMILIES["ipv4 nlri-mpls"],))
LAYOUTS = ("by-next-hop", "by-prefix")
PLAIN = ("unicast", "multicast", "raw")  # families whose routes the page shows elsewhere
ROUTE = (
    "announce route 198.51.100.0/24 next-hop 192.0.2.2 as-path [ 65002 65010 ] med 50 community [ 65002:1 no-export ]"
)
OPEN = Open(
    asn=65002,
    hold_time=180,
    router_id=THEIRS,
    capabilities=(
        Multiprotocol(IPV4_UNICAST),
        Multiprotocol(IPV6_UNICAST),
        RouteRefresh(),
        ExtendedMessage(),
        GracefulRestart(0, 120, ((IPV4_UNICAST, 0x80),)),
        FourOctetAsn(65002),
        AddPath(((IPV4_UNICAST, 3),)),
        EnhancedRouteRefresh(),
        Hostname(b"edge1", b"example.net"),
    ),
)


def renderer(layout: str = "by-next-hop", encoder: str = "json", dialect: str = "5.0.0") -> Renderer:
    """Return a renderer for one helper."""
    return Renderer(NEIGHBOR, PROCESS, layout, encoder, dialect)


def messages_of(line: str, negotiated: Negotiated) -> list[bytes]:
    """Return the UPDATEs that a command makes the peer send us."""
    command = parse_command(line)
    if not isinstance(command, RouteChange):
        raise ValueError(f"'{line}' is not about routes")
    shape = replace(Shape.of(negotiated), local_as=negotiated.peer_as, local_address=THEIRS, ibgp=False)
    packer = Packer(shape)
    messages: list[bytes] = []
    for entry in command.entries:
        routes = {entry.attributes: list(entry.items)}
        messages += packer.announce(entry.family, routes) if command.announce else packer.withdraw(entry.family, routes)
        if command.announce and packer.skipped:
            raise ValueError(f"'{line}': {packer.skipped[0].reason}")
    return messages


def update(line: str, layout: str = "by-next-hop", dialect: str = "5.0.0", negotiated: Negotiated = NEGOTIATED) -> str:
    """Render what a helper reads when the peer sends the routes of a command."""
    (message,) = messages_of(line, negotiated)
    (event,) = renderer(layout, dialect=dialect).update(message, WHEN, RECEIVE, negotiated, 7, Form.PARSED)
    return event.decode()


def pretty(event: bytes | str) -> str:
    """Break an event for reading."""
    return block("json", laid_out(json.loads(event), width=WIDTH))


def fragment(line: str, layout: str) -> str:
    """Return the routes of an event without what is around them."""
    said = json.loads(update(line, layout))["neighbor"]["message"]["update"]
    return laid_out({key: said[key] for key in ("announce", "withdraw") if key in said}, width=WIDTH)


def family(name: str) -> str:
    """Render the announcements of a family as ExaBGP's layout has them, and the first by prefix as well."""
    parts: list[str] = []
    for line in ROUTES[name]:
        if line.startswith("announce"):
            layouts = LAYOUTS if not parts else LAYOUTS[:1]
            parts += [block("commands", line), *(block("json", fragment(line, layout)) for layout in layouts)]
    return "\n\n".join(parts)


def packet(kind: int, body: bytes, form: int = Form.PARSED, direction: str = RECEIVE) -> str:
    """Render a message that is no UPDATE."""
    return pretty(renderer().message(build(kind, body), WHEN, direction, SESSION, 7, form)[0])


def text_events() -> str:
    """Render a session as the text encoder tells it."""
    text = renderer(encoder="text")
    (route,) = messages_of(ROUTE, SESSION)
    notification = Notification(CEASE, ADMINISTRATIVE_RESET, b"\x07upgrade")
    events = [
        text.state(WHEN, 1, "connected"),
        text.state(WHEN, 2, "up"),
        *text.update(route, WHEN, RECEIVE, SESSION, 3, Form.PARSED),
        *text.update(messages_of("withdraw route 198.51.100.0/24", SESSION)[0], WHEN, RECEIVE, SESSION, 4, Form.PARSED),
        *text.message(end_of_rib(IPV4_UNICAST), WHEN, RECEIVE, SESSION, 5, Form.PARSED),
        *text.message(build(MessageType.KEEPALIVE), WHEN, RECEIVE, SESSION, 6, Form.PARSED),
        *text.message(notification.message(), WHEN, RECEIVE, SESSION, 7, Form.PARSED),
        text.state(WHEN, 8, "down", "notification received (6,4)"),
        text.lost(WHEN, 42),
        text.shutdown(WHEN),
    ]
    return block("text", b"".join(events).decode())


def regions() -> dict[str, str]:
    """Return what stands in the page, by name."""
    tell = renderer()
    down = Notification(CEASE, ADMINISTRATIVE_RESET, b"\x07upgrade").encode()
    advisory = Operational(
        {name: kind for kind, name in OPERATIONAL_NAMES.items()}["ASM"], IPV4_UNICAST, advisory=b"maintenance at noon"
    )
    withdraw = "withdraw route 198.51.100.0/24"
    raw = messages_of(withdraw, SESSION)[0]
    return {
        "event-line": block("json", update(ROUTE)),
        "event-state": pretty(tell.state(WHEN, 2, "up")),
        "event-down": pretty(tell.state(WHEN, 9, "down", "notification received (6,4)")),
        "event-fsm": pretty(tell.fsm(WHEN, 3, "OPENSENT")),
        "event-signal": pretty(tell.signal(WHEN, 4, 10)),
        "event-negotiated": pretty(tell.negotiated(WHEN, 5, ADD_PATH)),
        "event-open": packet(MessageType.OPEN, OPEN.encode()),
        "event-open-sent": packet(MessageType.OPEN, OPEN.encode(), direction=SEND),
        "event-keepalive": packet(MessageType.KEEPALIVE, b""),
        "event-notification": packet(MessageType.NOTIFICATION, down),
        "event-refresh": packet(MessageType.ROUTE_REFRESH, Refresh(IPV4_UNICAST).encode()),
        "event-operational": packet(MessageType.OPERATIONAL, advisory.encode()),
        "event-packets": packet(MessageType.UPDATE, raw[19:], Form.PACKETS),
        "event-consolidate": packet(MessageType.UPDATE, raw[19:], Form.CONSOLIDATE),
        "event-update-by-next-hop": pretty(update(ROUTE)),
        "event-update-by-prefix": pretty(update(ROUTE, "by-prefix")),
        "event-withdraw-by-next-hop": pretty(update(withdraw)),
        "event-withdraw-by-prefix": pretty(update(withdraw, "by-prefix")),
        "event-add-path": pretty(update(f"{ROUTE} path-information 7", negotiated=ADD_PATH)),
        "event-add-path-by-prefix": pretty(update(f"{ROUTE} path-information 7", "by-prefix", negotiated=ADD_PATH)),
        "event-eor": packet(MessageType.UPDATE, end_of_rib(IPV4_UNICAST)[19:]),
        "event-shutdown": pretty(tell.shutdown(WHEN)),
        "event-lost": pretty(tell.lost(WHEN, 42)),
        "event-dialect-4": pretty(update(ROUTE, dialect="4.0.1")),
        "event-dialect-6": pretty(update(ROUTES["nlri-mpls"][0], dialect="6.0.0", negotiated=LABELLED)),
        "event-text": text_events(),
    } | {f"event-family-{name}": family(name) for name in ROUTES if name not in PLAIN}
