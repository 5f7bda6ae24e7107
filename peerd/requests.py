"""The actions of a `SessionRequest`: what bridges and people may ask of one session."""

from __future__ import annotations

from typing import Any

from bgp.family import Family
from peerd.session import Session

PAGE_LIMIT = 10_000


def act(session: Session, action: str, arguments: list[str]) -> tuple[str, dict[str, Any]]:
    """Carry out a request; return an error or nothing, and data. ValueError or IndexError: arguments are wrong."""
    match action:
        case "status":
            return "", session.status
        case "routes-in":
            return "", _page(session, int(arguments[0]), int(arguments[1]))
        case "teardown":
            session.teardown(int(arguments[0]))
            return "", {}
        case "refresh":
            return session.request_refresh(_family(arguments)), {}
        case "eor":
            return session.send_end_of_rib(_family(arguments)), {}
        case "operational":
            return session.send_operational(bytes.fromhex(arguments[0])), {}
        case "resend":
            return session.resend(), {}
        case "clear-in":
            session.adj_rib_in.clear()
            return "", {}
        case _:
            return f"unknown action {action}", {}


def _family(arguments: list[str]) -> Family:
    return Family(int(arguments[0]), int(arguments[1]))


def _page(session: Session, after: int, limit: int) -> dict[str, Any]:
    """Return a page of the Adj-RIB-In: `[AFI, SAFI, attributes, next hop, item]` rows, and where to go on (-1: end)."""
    limit = min(max(limit, 1), PAGE_LIMIT)
    rows, after = session.adj_rib_in.page(after, limit)
    return {"rows": [[*family, *rest] for family, *rest in rows], "after": after}
