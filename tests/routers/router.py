"""What every router of the lab has in common: one end of a session, routes, and the questions a test asks."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tests.routers.process import PATIENCE, Process, wait_for

IPV4 = "ipv4 unicast"
IPV6 = "ipv6 unicast"


class Route(Struct, frozen=True, kw_only=True):
    """A unicast route with the attributes that all routers can show; tuples are sorted where the wire is a set."""

    prefix: str
    next_hop: str
    origin: str = "igp"
    as_path: tuple[int, ...] = ()
    med: int | None = None
    local_pref: int | None = None
    communities: tuple[str, ...] = ()
    large_communities: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """`ipv4 unicast` or `ipv6 unicast`."""
        return IPV6 if ":" in self.prefix else IPV4

    def command(self) -> str:
        """Return the route as a helper writes it after `announce route`."""
        words = [self.prefix, "next-hop", self.next_hop, "origin", self.origin]
        if self.as_path:
            words += ["as-path [", *map(str, self.as_path), "]"]
        if self.med is not None:
            words += ["med", str(self.med)]
        if self.local_pref is not None:
            words += ["local-preference", str(self.local_pref)]
        if self.communities:
            words += ["community [", *self.communities, "]"]
        if self.large_communities:
            words += ["large-community [", *self.large_communities, "]"]
        return " ".join(words)

    def without_local_pref(self) -> Route:
        """Return it as an eBGP peer must see it: LOCAL_PREF is not sent there, whatever the peer shows."""
        return replace(self, local_pref=None)


class Session(Struct, frozen=True, kw_only=True):
    """One end of a session. Ports: where this end listens, and where it dials."""

    local_address: str
    local_port: int
    local_as: int
    peer_address: str
    peer_port: int
    peer_as: int
    router_id: str
    passive: bool = False
    families: tuple[str, ...] = (IPV4, IPV6)
    hold_time: int = 90
    password: str | None = None
    ttl_security: bool = False
    extended_message: bool = True
    four_octet_as: bool = True
    announce: tuple[Route, ...] = ()

    @property
    def ibgp(self) -> bool:
        """Tell whether both ends are in one AS."""
        return self.local_as == self.peer_as

    @property
    def ipv6(self) -> bool:
        """Tell whether TCP runs over IPv6."""
        return ":" in self.local_address

    def mirrored(self, router_id: str, passive: bool) -> Session:
        """Return the other end of the same session, with nothing to announce."""
        return replace(
            self,
            local_address=self.peer_address,
            local_port=self.peer_port,
            local_as=self.peer_as,
            peer_address=self.local_address,
            peer_port=self.local_port,
            peer_as=self.local_as,
            router_id=router_id,
            passive=passive,
            announce=(),
        )


class Router(Struct):
    """A real router with one session, started in a directory of its own (short, for its unix sockets)."""

    directory: Path
    session: Session
    process: Process | None = None

    NAME = "router"

    @classmethod
    def version(cls) -> str:
        """Return its name and version; raises MissingProgram where it is not installed."""
        raise NotImplementedError

    def start(self) -> None:
        """Write the configuration and start the router; returns at once."""
        raise NotImplementedError

    def established(self) -> bool:
        """Tell whether its own command says that the session is up."""
        raise NotImplementedError

    def routes(self, family: str) -> dict[str, Route]:
        """Return what it received from the peer, {prefix: route}, as its own command prints it."""
        raise NotImplementedError

    def announce(self, *routes: Route) -> None:
        """Announce routes to the peer, beside those of the start."""
        raise NotImplementedError

    def withdraw(self, *prefixes: str) -> None:
        """Withdraw routes that were announced."""
        raise NotImplementedError

    def request_refresh(self, family: str) -> None:
        """Send the peer a ROUTE-REFRESH (RFC 2918)."""
        raise NotImplementedError

    def updates_received(self) -> int:
        """Return how many routes or UPDATEs it counted from the peer so far (only growth has a meaning)."""
        raise NotImplementedError

    def last_error(self) -> str:
        """Return what it says about the last end of the session, its log included."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the router and everything it started."""
        if self.process is not None:
            self.process.stop()

    def signal(self, number: int) -> None:
        """Send a signal to all of its processes, for example SIGSTOP."""
        assert self.process is not None
        self.process.signal_group(number)

    def log(self) -> str:
        """Return the end of its log."""
        return self.process.tail(40) if self.process is not None else "(not started)"

    def wait_established(self, seconds: float = PATIENCE) -> None:
        """Wait until the session is up; raises TimeoutError with the end of the router's log."""
        wait_for(
            lambda: self.established() or None,
            seconds,
            lambda: f"{self.NAME} to say that the session is up\n{self.log()}",
            0.1,
            self.process,
        )

    def wait_routes(self, family: str, prefixes: Iterable[str], seconds: float = PATIENCE) -> dict[str, Route]:
        """Wait until exactly `prefixes` are there; return {prefix: route}."""
        wanted = set(prefixes)
        return wait_for(
            lambda: routes if (routes := self.routes(family)).keys() >= wanted else None,
            seconds,
            lambda: f"{self.NAME} to have {sorted(wanted)}; it has {sorted(self.routes(family))}\n{self.log()}",
            0.1,
            self.process,
        )

    def wait_gone(self, family: str, prefixes: Iterable[str], seconds: float = PATIENCE) -> None:
        """Wait until none of `prefixes` is there."""
        unwanted = set(prefixes)
        wait_for(
            lambda: unwanted.isdisjoint(self.routes(family)) or None,
            seconds,
            lambda: f"{self.NAME} to lose {sorted(unwanted)}; it has {sorted(self.routes(family))}\n{self.log()}",
            0.1,
            self.process,
        )


def base_environment(**extra: str) -> dict[str, str]:
    """Return our environment without anything that would configure a speaker, plus `extra`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().startswith(("exabgp", "bgpbus_")) and name != "PYTHONPATH"
    }
    return kept | extra
