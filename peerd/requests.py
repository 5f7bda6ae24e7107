"""The actions of a `SessionRequest`: what bridges and people may ask of one session."""

from __future__ import annotations

from typing import Any

from bgp.family import Family
from bgp.message import HEADER_LENGTH, MessageType, build
from bgp.pack import end_of_rib
from bgp.refresh import Refresh
from peerd.range import Range
from peerd.session import Established, Session

PAGE_LIMIT = 10_000


def act(session: Session, action: str, arguments: list[str]) -> tuple[str, dict[str, Any]]:
    """Carry out a request; return an error or nothing, and data. ValueError or IndexError: arguments are wrong."""
    match action:
        case "status":
            return "", session.status
        case "routes-in":
            return "", _page(session, int(arguments[0]), int(arguments[1]))
        case "teardown":
            session.teardown(_number(arguments[0], 0xFF))
            return "", {}
        case "clear-in":
            session.clear_in()
            return "", {}
        case "refresh" | "eor" | "operational" | "resend":
            if session.established is None:
                return "the session is not established", {}
            if session.established.sender.held:
                return "the session has not been sent its first routes", {}
            return _send(session.established, session.families, action, arguments), {}
        case _:
            return f"unknown action {action}", {}


def act_on_range(range_: Range, action: str, arguments: list[str]) -> tuple[str, dict[str, Any]]:
    """Carry out a request on every session of a range; one that could act is enough for success."""
    if action == "status":
        return "", range_.status
    errors = [act(session, action, arguments)[0] for session in range_.sessions.values()]
    if not errors:
        return f"no address of {range_.configuration.name} has a session", {}
    return "" if "" in errors else errors[0], {}


def _send(established: Established, families: tuple[Family, ...], action: str, arguments: list[str]) -> str:
    """Send what was asked for; return an error, or nothing. `families` are in the order of the configuration."""
    sender, negotiated = established.sender, established.negotiated
    match action:
        case "resend":
            sender.resend(families)
        case "refresh" | "eor":
            family = _family(arguments)
            if action == "refresh" and negotiated.refresh == "absent":
                return "route refresh was not negotiated"
            if family not in negotiated.families:
                return f"{family} was not negotiated"
            if action == "refresh":
                sender.send(Refresh(family).message())
            else:
                sender.write(end_of_rib(family))
        case "operational":
            if not negotiated.operational:
                return "operational messages were not negotiated"
            sender.send(_operational(arguments[0]))
    return ""


def _operational(text: str) -> bytes:
    """Return an OPERATIONAL message from its hexadecimal form; any other would be taken for what we say ourselves."""
    message = bytes.fromhex(text)
    if message != build(MessageType.OPERATIONAL, message[HEADER_LENGTH:]):
        raise ValueError("a whole OPERATIONAL message expected")
    return message


def _family(arguments: list[str]) -> Family:
    return Family(_number(arguments[0], 0xFFFF), _number(arguments[1], 0xFF))


def _number(text: str, most: int) -> int:
    number = int(text)
    if not 0 <= number <= most:
        raise ValueError(f"a number up to {most} expected, not {number}")
    return number


def _page(session: Session, after: int, limit: int) -> dict[str, Any]:
    """Return a page of the Adj-RIB-In: `[AFI, SAFI, attributes, next hop, item]` rows, and where to go on (-1: end)."""
    limit = min(max(limit, 1), PAGE_LIMIT)
    rows, after = session.adj_rib_in.page(after, limit)
    return {"rows": [[*family, *rest] for family, *rest in rows], "after": after}
