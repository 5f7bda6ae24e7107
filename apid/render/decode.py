"""Decode octets that somebody pasted, as `bgpbus decode` does: one event, or the routes of an NLRI field."""

from __future__ import annotations

from collections.abc import Iterable

from apid.render.dialect import DEFAULT_DIALECT
from apid.render.envelope import NeighborContext, ProcessContext
from apid.render.form import DECODED, Form
from apid.render.json_layout import ByNextHop
from apid.render.renderer import Renderer
from bgp.errors import NotifyError
from bgp.family import AFI, FAMILIES, Family
from bgp.message import HEADER_LENGTH, MARKER, MessageType, build
from bgp.negotiated import EXTENDED_MESSAGE_SIZE, Negotiated
from bgp.nlri import split
from bgp.open import Open
from bgp.update import UpdateDecoder

ASN = 65533
READ = (MessageType.OPEN, MessageType.UPDATE, MessageType.NOTIFICATION)


def octets_of(text: str) -> bytes:
    """Read hexadecimal digits; colons and spaces do not count. Raises ValueError."""
    return bytes.fromhex(text.replace(":", "").replace(" ", ""))


def decode_context(
    families: Iterable[Family] = (),
    add_path: bool = False,
    *,
    asn4: bool = True,
    local_as: int = ASN,
    peer_as: int = ASN,
) -> Negotiated:
    """Return the session in which pasted octets are read: all families, or more than those that we know."""
    known = tuple(dict.fromkeys((*families, *FAMILIES.values())))
    return Negotiated(
        local_as=local_as,
        peer_as=peer_as,
        asn4=asn4,
        message_size=EXTENDED_MESSAGE_SIZE,
        families=known,
        add_path_receive=frozenset(known) if add_path else frozenset(),
        next_hop=frozenset((family, AFI.IPV6) for family in known if family.afi == AFI.IPV4),
        aigp=True,
    )


def decode_neighbor(local_as: int = ASN, peer_as: int = ASN) -> NeighborContext:
    """Return the neighbor that pasted octets are said to come from."""
    return NeighborContext("127.0.0.1", "127.0.0.1", local_as, peer_as, "10.0.0.2")


def whole_message(octets: bytes) -> bytes:
    """Put a header before octets that lack the marker, or all of it: then they are the body of an UPDATE."""
    if octets.startswith(MARKER):
        return octets
    if len(octets) >= 3 and int.from_bytes(octets[:2], "big") == len(octets) + len(MARKER) and octets[2] in READ:
        return MARKER + octets
    return build(MessageType.UPDATE, octets)


def wrong_length(octets: bytes) -> str:
    """Say how the length that the header gives differs from what was pasted; nothing where it does not."""
    message = whole_message(octets)
    length = int.from_bytes(message[16:18], "big")
    return f"the header says {length} octets, {len(message)} seen" if length != len(message) else ""


def _fitting(message: bytes) -> bytes:
    """Leave out what is behind the length that the header gives; where it is too long, correct it."""
    length = int.from_bytes(message[16:18], "big")
    return message[:length] if length <= len(message) else build(message[18], message[HEADER_LENGTH:])


def decode_event(octets: bytes, families: Iterable[Family] = (), add_path: bool = False, encoder: str = "json") -> str:
    """Do as `decode_in_session` does, for a session and a neighbor that are made up for it.

    `families` adds some that we do not know; `add_path` reads path identifiers.
    """
    return decode_in_session(octets, decode_neighbor(), decode_context(families, add_path), encoder=encoder)


def decode_in_session(
    octets: bytes,
    neighbor: NeighborContext,
    negotiated: Negotiated,
    *,
    when: float = 0.0,
    process: ProcessContext | None = None,
    encoder: str = "json",
    layout: str = "by-next-hop",
    dialect: str = DEFAULT_DIALECT.version,
) -> str:
    """Render an OPEN, UPDATE or NOTIFICATION as an event, its direction `in`, without a newline at its end.

    A length in the header that is too long or too short does not matter where what is there can be read: see
    `wrong_length`. Raises ValueError, with the reason, where the octets are no such message in this session.
    """
    message, wrong = whole_message(octets), wrong_length(octets)
    if min(len(message), int.from_bytes(message[16:18], "big")) < HEADER_LENGTH:
        raise ValueError(wrong)
    kind = message[18]
    if kind not in READ:
        raise ValueError(f"message type {kind} is not OPEN (1), UPDATE (2) or NOTIFICATION (3)")
    message = _fitting(message)
    try:
        check(message, negotiated)
    except ValueError as error:
        raise ValueError(f"{wrong}; {error}" if wrong else str(error)) from error
    renderer = Renderer(neighbor, process or ProcessContext("", 0, 0), layout, encoder, dialect)
    events = renderer.message(message, when, DECODED, negotiated, 1, Form.PARSED)
    return b"".join(events).decode().rstrip("\n")


def check(message: bytes, negotiated: Negotiated) -> None:
    """Raise ValueError with the reason where a session would end."""
    body = message[HEADER_LENGTH:]
    try:
        if message[18] == MessageType.UPDATE:
            UpdateDecoder(negotiated).decode(body)
        elif message[18] == MessageType.OPEN:
            Open.decode(body)
        elif len(body) < 2:
            raise ValueError(f"NOTIFICATION body has {len(body)} octets, not 2 or more")
    except NotifyError as error:
        raise ValueError(str(error)) from error


def decode_nlri(octets: bytes, family: Family, add_path: bool = False) -> list[str]:
    """Render each route of an NLRI field as a JSON object; raises ValueError where they cannot be told apart."""
    layout = ByNextHop(DEFAULT_DIALECT, compact=False)
    shown = frozenset((family,)) if add_path else frozenset[Family]()
    return [layout.route(family, item, "", shown) for item in split(family, octets, add_path)]
