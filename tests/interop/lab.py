"""A lab: the speaker under test and one router, joined by one session over loopback."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tests.routers.bird import Bird
from tests.routers.exabgp import ExaBgp
from tests.routers.frr import Frr
from tests.routers.gobgp import GoBgp
from tests.routers.openbgpd import OpenBgpd
from tests.routers.process import PATIENCE, free_port, listening, wait_for
from tests.routers.router import Route, Router, Session
from tests.routers.speaker import Speaker

KIND = os.environ.get("BGPBUS_SPEAKER", "bgpbus")
ROUTERS: tuple[type[Router], ...] = (Bird, Frr, GoBgp, OpenBgpd, ExaBgp)

OWN_AS = 4200000001
PEER_AS = 65002

Place = Callable[[], Path]


class Lab(Struct, frozen=True):
    """A speaker and a router that share a session."""

    speaker: Speaker
    router: Router

    @property
    def session(self) -> Session:
        """The speaker's end of the session."""
        return self.speaker.sessions[0]

    def start(self) -> Lab:
        """Start both: who dials comes after who waits, because some try again only after minutes."""
        self.start_first()
        self.start_second()
        return self

    def start_first(self) -> None:
        """Start the end that waits for connections, the router where both dial; returns at once."""
        (self.speaker if self.session.passive else self.router).start()

    def start_second(self) -> None:
        """Start the other end once the first one listens."""
        waiting, dialling = (self.speaker, self.router) if self.session.passive else (self.router, self.speaker)
        end = self.session if self.session.passive else self.router.session
        wait_for(
            lambda: listening(end.local_address, end.local_port) or None,
            PATIENCE,
            lambda: f"port {end.local_port} to be listened on\n{waiting.log()}",
            needs=waiting.process,
        )
        dialling.start()

    def wait_established(self, seconds: float = PATIENCE) -> Lab:
        """Wait until both ends say that the session is up."""
        self.speaker.wait_established(seconds)
        self.router.wait_established(seconds)
        return self

    def stop(self) -> None:
        """Stop both."""
        self.speaker.stop()
        self.router.stop()

    def path(self, *asns: int) -> tuple[int, ...]:
        """Return the AS path that the router must see for a route announced with `asns` behind our AS."""
        return asns if self.session.ibgp else (OWN_AS, *asns)


def make_lab(
    router: type[Router],
    place: Place,
    *,
    transport: str = "v4",
    ibgp: bool = False,
    speaker_passive: bool = False,
    router_passive: bool | None = None,
    announce: tuple[Route, ...] = (),
    router_options: dict[str, Any] | None = None,
    **options: Any,
) -> Lab:
    """Make a lab, not started; `options` are fields of both ends' Session, `router_options` of the router's alone."""
    own, peer = ("::1", "::1") if transport == "v6" else ("127.0.0.1", "127.0.0.2")
    defaults: dict[str, Any] = {"local_as": OWN_AS, "peer_as": OWN_AS if ibgp else PEER_AS}
    session = Session(
        local_address=own,
        local_port=free_port(),
        peer_address=peer,
        peer_port=free_port(),
        router_id="10.0.0.1",
        passive=speaker_passive,
        **(defaults | options),
    )
    passive = not speaker_passive if router_passive is None else router_passive
    other = replace(session.mirrored("10.0.0.2", passive), announce=announce, **(router_options or {}))
    return Lab(Speaker(KIND, place(), [session]), router(place(), other))
