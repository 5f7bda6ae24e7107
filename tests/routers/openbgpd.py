"""OpenBGPD, asked through bgpctl."""

from __future__ import annotations

import json
import os
from typing import Any

from msgspec import field

from tests.routers.process import Process, find_program, output_of
from tests.routers.router import IPV4, IPV6, Route, Router

_FAMILY = {IPV4: "inet", IPV6: "inet6"}
_ANNOUNCE = {IPV4: "IPv4 unicast", IPV6: "IPv6 unicast"}


class OpenBgpd(Router):
    """One bgpd; it must be started by root. Announced routes have no AS path of their own and origin igp."""

    NAME = "OpenBGPD"

    announced: dict[str, Route] = field(default_factory=dict)

    @classmethod
    def version(cls) -> str:
        """Return for example `OpenBGPD 7.7`."""
        return output_of(["sh", "-c", f"{find_program('/usr/sbin/bgpd', 'openbgpd')} -V 2>&1"]).strip()

    def start(self) -> None:
        """Write bgpd.conf (mode 0600, or bgpd refuses it) and start bgpd in the foreground."""
        os.makedirs("/run/openbgpd", exist_ok=True)
        self.announced = {route.prefix: route for route in self.session.announce}
        self._write()
        arguments = [find_program("/usr/sbin/bgpd", "openbgpd"), "-d", "-f", self._configuration_file]
        self.process = Process(arguments, self.directory / "bgpd.log")

    @property
    def _configuration_file(self) -> str:
        return str(self.directory / "bgpd.conf")

    def ask(self, *words: str) -> str:
        """Return what `bgpctl WORDS` prints."""
        return output_of([find_program("bgpctl"), "-s", self.directory / "bgpd.sock", *words])

    def established(self) -> bool:
        """Look at the neighbor's state."""
        return bool(self._neighbor().get("state") == "Established")

    def routes(self, family: str) -> dict[str, Route]:
        """Parse the adj-rib-in."""
        peer = self.session.peer_address
        text = self.ask("-j", "show", "rib", _FAMILY[family], "in", "neighbor", peer, "detail")
        try:
            rib = json.loads(text).get("rib", [])
        except ValueError:
            return {}
        return {entry["prefix"]: _route(entry) for entry in rib}

    def announce(self, *routes: Route) -> None:
        """Add networks to the configuration and reload."""
        self.announced.update({route.prefix: route for route in routes})
        self._write()
        self.ask("reload")

    def withdraw(self, *prefixes: str) -> None:
        """Remove networks from the configuration and reload."""
        for prefix in prefixes:
            del self.announced[prefix]
        self._write()
        self.ask("reload")

    def request_refresh(self, family: str) -> None:
        """Use `neighbor X refresh`, which asks for all families."""
        self.ask("neighbor", self.session.peer_address, "refresh")

    def updates_received(self) -> int:
        """Return its count of received prefixes."""
        received = self._neighbor().get("stats", {}).get("update", {}).get("received", {})
        return int(received.get("updates", 0))

    def last_error(self) -> str:
        """Return the neighbor's description and the log."""
        return self.ask("show", "neighbor", self.session.peer_address) + self.log()

    def _neighbor(self) -> dict[str, Any]:
        try:
            found = json.loads(self.ask("-j", "show", "neighbor", self.session.peer_address))
        except ValueError:
            return {}
        neighbors = found.get("neighbors", [])
        return neighbors[0] if neighbors else {}

    def _write(self) -> None:
        path = self.directory / "bgpd.conf"
        path.touch(0o600)
        path.chmod(0o600)
        path.write_text("\n".join(self._configuration()) + "\n")

    def _configuration(self) -> list[str]:
        session = self.session
        lines = [
            f"AS {session.local_as}",
            f"router-id {session.router_id}",
            f"listen on {session.local_address} port {session.local_port}",
            f'socket "{self.directory}/bgpd.sock"',
            "fib-update no",
            "nexthop qualify via default",
            *(f"network {route.prefix} set nexthop {route.next_hop}" for route in self.announced.values()),
            f"neighbor {session.peer_address} {{",
            f"  remote-as {session.peer_as}",
            f"  local-address {session.local_address}",
            f"  port {session.peer_port}",
            f"  holdtime {session.hold_time}",
            "  enforce neighbor-as no",
            *(f"  announce {_ANNOUNCE[family]}" for family in session.families),
        ]
        if session.passive:
            lines.append("  passive")
        if not session.ibgp and not session.ttl_security:
            lines.append("  multihop 64")
        if session.ttl_security:
            lines.append("  ttl-security yes")
        if session.password:
            lines.append(f'  tcp md5sig password "{session.password}"')
        return [
            *lines,
            "}",
            "allow from any",
            "allow to any",
            "match to any set nexthop no-modify",
            *map(_rule, self.announced.values()),
        ]


def _rule(route: Route) -> str:
    sets: list[str] = []
    if route.med is not None:
        sets.append(f"med {route.med}")
    if route.local_pref is not None:
        sets.append(f"localpref {route.local_pref}")
    sets += [f"community {value}" for value in route.communities]
    sets += [f"large-community {value}" for value in route.large_communities]
    return f"match to any prefix {route.prefix} set {{ {' '.join(sets)} }}" if sets else ""


def _route(entry: dict[str, Any]) -> Route:
    def values(name: str) -> tuple[str, ...]:
        return tuple(sorted(entry.get(name, [])))

    return Route(
        prefix=entry["prefix"],
        next_hop=entry.get("exit_nexthop", ""),
        origin=entry.get("origin", "").lower(),
        as_path=tuple(int(word) for word in entry.get("aspath", "").split() if word.isdigit()),
        med=entry.get("metric"),
        local_pref=entry.get("localpref"),
        communities=values("communities"),
        large_communities=values("large_communities"),
    )
