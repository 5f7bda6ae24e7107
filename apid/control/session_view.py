"""One neighbor as `show neighbor` presents it: what is configured, what the peer offered, what happened."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import msgpack
from msgspec import Struct, field

from apid.control.neighbors import Known
from bgp.capability import (
    AddPath,
    Capability,
    EnhancedRouteRefresh,
    ExtendedMessage,
    FourOctetAsn,
    GracefulRestart,
    Multiprotocol,
    MultiSession,
    Operational,
    RouteRefresh,
)
from bgp.family import IPV4_UNICAST, Family
from bgp.message import MessageType
from bgp.negotiate import negotiate_messages
from bgp.negotiated import Negotiated
from bgp.open import Open
from bgp.settings_wire import facts_from_wire
from bgp.wire import address_text
from bus.schema import SessionReply

MESSAGES = {
    "open": MessageType.OPEN,
    "notification": MessageType.NOTIFICATION,
    "keepalive": MessageType.KEEPALIVE,
    "update": MessageType.UPDATE,
    "refresh": MessageType.ROUTE_REFRESH,
}
CAPABILITIES: dict[str, tuple[type[Capability], ...]] = {
    "asn4": (FourOctetAsn,),
    "route-refresh": (RouteRefresh, EnhancedRouteRefresh),
    "multi-session": (MultiSession,),
    "operational": (Operational,),
    "add-path": (AddPath,),
    "extended-message": (ExtendedMessage,),
    "graceful-restart": (GracefulRestart,),
}

SHUT = "SHUT"  # shown in place of IDLE


class SessionView(Struct, frozen=True):
    """What is known of a session; without an answer of its peerd it is down. Times in seconds."""

    known: Known
    up: bool = False
    fsm: str = "IDLE"
    duration: int = 0
    received_open: Open | None = None
    negotiated: Negotiated | None = None
    sent: dict[str, int] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)
    prefixes: int | None = 0  # received; None: they are not kept
    announced: int | None = None  # routes to announce, sent or not; None: ribd is away
    counts: dict[Family, int] = field(default_factory=dict)
    last_error: str = ""
    last_error_at: float = 0.0  # 0: it is no matter of the past

    @classmethod
    def of(cls, known: Known, reply: SessionReply | None, announced: int | None = None) -> SessionView:
        """Read the answer to `status`; `announced` is what ribd says."""
        if reply is None:
            return cls(known, last_error="its process does not answer", announced=announced)
        if reply.error:
            return cls(known, last_error=reply.error, announced=announced)
        data = reply.data
        since, context = data["since"], data["context"]
        received_open = negotiated = None
        if context:
            sent, received, facts = msgpack.unpackb(context)
            received_open = Open.from_message(received)
            negotiated = negotiate_messages(sent, received, facts_from_wire(facts))
        return cls(
            known,
            up=data["state"] == "up",
            fsm=data["fsm"],
            duration=max(0, int(time.time() - since)) if since else 0,
            received_open=received_open,
            negotiated=negotiated,
            sent=_named(data["sent"]),
            received=_named(data["received"]),
            prefixes=sum(count for _, _, count in data["prefixes"]) if known.configuration.adj_rib_in else None,
            announced=announced,
            counts={Family(afi, safi): count for afi, safi, count in data["prefixes"]},
            **_last_error(known, data),
        )

    def limits(self) -> dict[str, dict[str, int]]:
        """Return how many routes the peer may announce, and how many it has, by family."""
        rows = ((Family(*family), maximum) for family, maximum, *_ in self.known.configuration.prefix_limits)
        return {str(family): {"received": self.counts.get(family, 0), "maximum": maximum} for family, maximum in rows}

    @property
    def time_text(self) -> str:
        """How long it has been up."""
        return str(timedelta(seconds=self.duration))

    @property
    def state(self) -> str:
        """The state machine's state, or `SHUT` where a command has shut the neighbor."""
        return SHUT if self.known.configuration.shut is not None else self.fsm

    @property
    def local_address(self) -> str:
        """Our address: the session's own where it is up, else what is configured."""
        if self.negotiated is not None:
            return address_text(self.negotiated.local_address)
        return self.known.configuration.local_address or "auto"

    @property
    def local_capabilities(self) -> dict[str, bool]:
        """What we offer."""
        settings = self.known.settings
        return {
            "asn4": settings.asn4,
            "route-refresh": settings.route_refresh,
            "multi-session": settings.multi_session,
            "operational": settings.operational,
            "add-path": bool(settings.add_path),
            "extended-message": settings.extended_message,
            "graceful-restart": settings.graceful_restart is not None,
        }

    @property
    def peer_capabilities(self) -> dict[str, bool | None]:
        """What the peer offered; None where we do not know."""
        received = self.received_open
        if received is None:
            return dict.fromkeys(CAPABILITIES)
        return {name: any(map(received.has, kinds)) for name, kinds in CAPABILITIES.items()}

    @property
    def families(self) -> tuple[Family, ...]:
        """The families that we offer."""
        return self.known.settings.families

    def peer_has(self, family: Family) -> bool | None:
        """Whether the peer offered a family; None where we do not know."""
        if self.received_open is None:
            return None
        offered = [capability.family for capability in self.received_open.all(Multiprotocol)] or [IPV4_UNICAST]
        return family in offered

    @property
    def local_add_path(self) -> frozenset[Family]:
        """The families that we offer ADD-PATH for."""
        settings = self.known.settings
        return _add_path_families(settings.open(settings.peer_as or 1))

    @property
    def peer_add_path(self) -> frozenset[Family]:
        """The families that the peer offered ADD-PATH for; none where we do not know."""
        return frozenset() if self.received_open is None else _add_path_families(self.received_open)

    def add_path(self, family: Family) -> str:
        """What was agreed upon for a family."""
        negotiated = self.negotiated or Negotiated()
        directions = [("send", negotiated.add_path_send), ("receive", negotiated.add_path_receive)]
        return "/".join(name for name, families in directions if family in families) or "disabled"

    def as_json(self) -> dict[str, Any]:
        """Return what `show neighbor json` prints."""
        settings, received = self.known.settings, self.received_open
        local, peer = self.local_capabilities, self.peer_capabilities
        local_add_path, peer_add_path = self.local_add_path, self.peer_add_path
        return {
            "state": "up" if self.up else "down",
            "duration": self.duration,
            "fsm": self.fsm,
            "shut": self.known.configuration.shut is not None,
            "local": {
                "capabilities": local,
                "families": {str(family): True for family in self.families},
                "add-path": {str(family): family in local_add_path for family in self.families},
                "address": self.local_address,
                "as": settings.local_as if self.negotiated is None else self.negotiated.local_as,
                "id": address_text(settings.router_id),
                "hold": settings.hold_time,
            },
            "peer": {
                "capabilities": peer,
                "families": {str(family): self.peer_has(family) for family in self.families},
                "add-path": {str(family): family in peer_add_path for family in self.families},
                "address": self.known.address,
                "as": settings.peer_as if received is None else received.real_asn,
                "id": None if received is None else address_text(received.router_id),
                "hold": None if received is None else received.hold_time,
            },
            "messages": {"sent": totalled(self.sent), "received": totalled(self.received)},
            "capabilities": [name for name in local if local[name] and peer[name]],
            "families": [str(family) for family in self.families if self.peer_has(family)],
            "add-path": {str(family): self.add_path(family) for family in self.families},
            "prefixes": {
                "received": self.prefixes,
                "announced": self.announced,
                **({"limits": limits} if (limits := self.limits()) else {}),
            },
            "name": self.known.name,
            "last-error": self.last_error,
            "last-error-time": self.last_error_at or None,
        }


def _add_path_families(message: Open) -> frozenset[Family]:
    return frozenset(family for capability in message.all(AddPath) for family, _ in capability.entries)


def _last_error(known: Known, data: dict[str, Any]) -> dict[str, Any]:
    if known.configuration.shut is not None:
        return {"last_error": _shut_text(known.configuration.shut)}
    return {"last_error": data["last_error"], "last_error_at": data["last_error_at"]}


def _shut_text(communication: str) -> str:
    return f"administratively shut: {communication}" if communication else "administratively shut"


def _named(counts: dict[str, int]) -> dict[str, int]:
    return {name: counts.get(str(int(kind)), 0) for name, kind in MESSAGES.items()}


def totalled(counts: dict[str, int]) -> dict[str, int]:
    """Return counts of messages by their names, and of all of them."""
    named = {name: counts.get(name, 0) for name in MESSAGES}
    return {**named, "total": sum(named.values())}
