"""FRR's bgpd without zebra, asked through vtysh."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec import field

from tests.routers.process import Process, find_program, output_of
from tests.routers.router import IPV4, IPV6, Route, Router

_FAMILY = {IPV4: "ipv4", IPV6: "ipv6"}
_ORIGIN = {"IGP": "igp", "EGP": "egp", "incomplete": "incomplete"}


class Frr(Router):
    """One bgpd; each announced route is a `network` with a rule of its own in the route-map to the peer."""

    NAME = "FRR"

    rules: dict[str, int] = field(default_factory=dict)

    @classmethod
    def version(cls) -> str:
        """Return for example `bgpd version 8.4.4`."""
        return (output_of([_bgpd(), "--version"]).splitlines() or ["bgpd"])[0]

    def start(self) -> None:
        """Write bgpd.conf and start bgpd with its vty socket in the directory."""
        configuration = self.directory / "bgpd.conf"
        configuration.write_text("\n".join(self._configuration()) + "\n")
        self.run(configuration)

    def run(self, configuration: Path) -> None:
        """Start bgpd with a configuration that is there already."""
        session = self.session
        listen = ["-p", str(session.local_port), "-l", session.local_address, "-P", "0", "-n", "-S"]
        private: list[str | Path] = [
            "-i",
            self.directory / "pid",
            "--vty_socket",
            self.directory,
            "-z",
            self.directory / "nozserv",
        ]
        log = self.directory / "bgpd.log"
        arguments: list[str | Path] = [_bgpd(), "-f", configuration, *listen, *private, "-u", "root", "-g", "root"]
        self.process = Process([*arguments, "--log", f"file:{log}", "--log-level", "info"], log)

    def ask(self, *commands: str) -> str:
        """Return what vtysh prints for the commands, in order."""
        words = [word for command in commands for word in ("-c", command)]
        return output_of([find_program("vtysh"), "--vty_socket", self.directory, "-d", "bgpd", *words])

    def ask_json(self, command: str) -> dict[str, Any]:
        """Return the object that `command json` prints, empty where bgpd does not answer yet."""
        text = self.ask(f"{command} json")
        try:
            found = json.loads(text)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def established(self) -> bool:
        """Look at the neighbor's bgpState."""
        return bool(self._neighbor().get("bgpState") == "Established")

    def routes(self, family: str) -> dict[str, Route]:
        """Ask for the table, then for each prefix that the peer announced."""
        found: dict[str, Route] = {}
        for prefix, paths in self.ask_json(f"show bgp {_FAMILY[family]} unicast").get("routes", {}).items():
            if any("peerId" in path and path["peerId"] == self.session.peer_address for path in paths):
                details = self.ask_json(f"show bgp {_FAMILY[family]} unicast {prefix}").get("paths", [])
                received = [path for path in details if path.get("peer", {}).get("peerId") != "0.0.0.0"]
                received = [path for path in received if path.get("peer", {}).get("peerId") != "::"]
                if received:
                    found[prefix] = _route(prefix, received[0])
        return found

    def announce(self, *routes: Route) -> None:
        """Add a rule to the outgoing route-map and a network for each route."""
        for route in routes:
            self.ask("configure terminal", *self._rule(route), "exit", *self._network(route.prefix))

    def withdraw(self, *prefixes: str) -> None:
        """Remove the networks; the rules may stay."""
        for prefix in prefixes:
            router, family, network = self._network(prefix)
            self.ask("configure terminal", router, family, f"no {network}")

    def request_refresh(self, family: str) -> None:
        """Use `clear … in`; soft-reconfiguration is off, so it has to ask the peer."""
        self.ask(f"clear bgp {_FAMILY[family]} unicast {self.session.peer_address} in")

    def updates_received(self) -> int:
        """Return its count of UPDATE messages."""
        return int(self._neighbor().get("messageStats", {}).get("updatesRecv", 0))

    def last_error(self) -> str:
        """Return what `show bgp neighbors` says, and the log."""
        return self.ask(f"show bgp neighbors {self.session.peer_address}") + self.log()

    def _neighbor(self) -> dict[str, Any]:
        peer = self.session.peer_address
        found = self.ask_json(f"show bgp neighbors {peer}").get(peer, {})
        return found if isinstance(found, dict) else {}

    def _configuration(self) -> list[str]:
        session = self.session
        peer = f"neighbor {session.peer_address}"
        lines = [line for route in session.announce for line in (*self._rule(route), "exit")]
        lines += [
            f"router bgp {session.local_as}",
            f"bgp router-id {session.router_id}",
            "no bgp ebgp-requires-policy",
            "no bgp network import-check",
            "no bgp default ipv4-unicast",
            f"{peer} remote-as {session.peer_as}",
            f"{peer} port {session.peer_port}",
            f"{peer} update-source {session.local_address}",
            f"{peer} disable-connected-check",
            f"{peer} timers {max(1, session.hold_time // 3)} {session.hold_time}",
            f"{peer} timers connect 1",
            f"{peer} advertisement-interval 0",
        ]
        if not session.ibgp:
            lines.append(f"{peer} {'ttl-security hops 1' if session.ttl_security else 'ebgp-multihop 255'}")
        if session.passive:
            lines.append(f"{peer} passive")
        if session.password:
            lines.append(f"{peer} password {session.password}")
        for family in session.families:
            lines += [f"address-family {_FAMILY[family]} unicast", f"{peer} activate", f"{peer} send-community all"]
            lines.append(f"{peer} route-map {_FAMILY[family]}-out out")
            lines += [self._network(route.prefix)[-1] for route in session.announce if route.family == family]
            lines.append("exit-address-family")
        return lines

    def _network(self, prefix: str) -> tuple[str, str, str]:
        family = _FAMILY[IPV6 if ":" in prefix else IPV4]
        return f"router bgp {self.session.local_as}", f"address-family {family} unicast", f"network {prefix}"

    def _rule(self, route: Route) -> list[str]:
        number = self.rules.setdefault(route.prefix, len(self.rules) + 1)
        family = _FAMILY[route.family]
        word, next_hop = ("ipv6", "ipv6 next-hop global") if route.family == IPV6 else ("ip", "ip next-hop")
        lines = [
            f"{word} prefix-list only{number} permit {route.prefix}",
            f"route-map {family}-out permit {number}",
            f"match {word} address prefix-list only{number}",
            f"set {next_hop} {route.next_hop}",
        ]
        lines.append(f"set origin {route.origin}")
        if route.as_path:
            lines.append(f"set as-path prepend {' '.join(map(str, route.as_path))}")
        if route.med is not None:
            lines.append(f"set metric {route.med}")
        if route.local_pref is not None:
            lines.append(f"set local-preference {route.local_pref}")
        if route.communities:
            lines.append(f"set community {' '.join(route.communities)}")
        if route.large_communities:
            lines.append(f"set large-community {' '.join(route.large_communities)}")
        return lines


def _bgpd() -> str:
    return find_program("/usr/lib/frr/bgpd", "/usr/libexec/frr/bgpd")


def _route(prefix: str, path: dict[str, Any]) -> Route:
    words = path.get("aspath", {}).get("string", "").split()
    return Route(
        prefix=prefix,
        next_hop=next(hop["ip"] for hop in path["nexthops"] if hop.get("scope", "global") == "global"),
        origin=_ORIGIN[path["origin"]],
        as_path=tuple(int(word) for word in words if word.isdigit()),
        med=path.get("metric"),
        local_pref=path.get("locPrf"),
        communities=tuple(sorted(path.get("community", {}).get("list", []))),
        large_communities=tuple(sorted(path.get("largeCommunity", {}).get("list", []))),
    )
