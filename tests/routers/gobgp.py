"""GoBGP, asked through its command line client (gRPC)."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from tests.routers.process import PATIENCE, Process, find_program, free_port, output_of
from tests.routers.router import IPV4, IPV6, Route, Router

_FAMILY = {IPV4: "ipv4", IPV6: "ipv6"}
_ORIGIN = {0: "igp", 1: "egp", 2: "incomplete"}


class GoBgp(Router):
    """One gobgpd. It waits some seconds before its first connection, so it is best the passive side."""

    NAME = "GoBGP"

    api_port: int = 0

    @classmethod
    def version(cls) -> str:
        """Return for example `gobgpd version 3.10.0`."""
        return output_of([find_program("gobgpd"), "--version"]).strip()

    def start(self) -> None:
        """Write the TOML configuration and start gobgpd; the routes are added once it answers."""
        self.api_port = free_port()
        configuration = self.directory / "gobgpd.toml"
        configuration.write_text(self._configuration())
        door = ["--api-hosts", f"127.0.0.1:{self.api_port}", "--pprof-disable"]
        self.process = Process([find_program("gobgpd"), "-f", configuration, *door], self.directory / "gobgpd.log")

    def ask(self, *words: str) -> str:
        """Return what `gobgp WORDS` prints."""
        return output_of([find_program("gobgp"), "-p", str(self.api_port), *words])

    def established(self) -> bool:
        """Look at the neighbor's session state, 6 being Established."""
        return bool(self._neighbor().get("state", {}).get("session_state") == 6)

    def wait_established(self, seconds: float = PATIENCE) -> None:
        """Wait for the session, then announce what is to be announced from the start."""
        super().wait_established(seconds)
        self.announce(*self.session.announce)

    def routes(self, family: str) -> dict[str, Route]:
        """Parse the adj-rib-in."""
        peer = self.session.peer_address
        try:
            table = json.loads(self.ask("-j", "neighbor", peer, "adj-in", "-a", _FAMILY[family]))
        except ValueError:
            return {}
        return {prefix: _route(prefix, paths[0]["attrs"]) for prefix, paths in table.items()}

    def announce(self, *routes: Route) -> None:
        """Add paths to the global RIB."""
        for route in routes:
            words = ["global", "rib", "add", "-a", _FAMILY[route.family], route.prefix, "nexthop", route.next_hop]
            words += ["origin", route.origin]
            if route.as_path:
                words += ["aspath", " ".join(map(str, route.as_path))]
            if route.med is not None:
                words += ["med", str(route.med)]
            if route.local_pref is not None:
                words += ["local-pref", str(route.local_pref)]
            if route.communities:
                words += ["community", ",".join(route.communities)]
            if route.large_communities:
                words += ["large-community", ",".join(route.large_communities)]
            self.ask(*words)

    def withdraw(self, *prefixes: str) -> None:
        """Remove paths from the global RIB."""
        for prefix in prefixes:
            self.ask("global", "rib", "del", "-a", "ipv6" if ":" in prefix else "ipv4", prefix)

    def request_refresh(self, family: str) -> None:
        """Use `softresetin`; GoBGP keeps its adj-rib-in and so asks nobody."""
        self.ask("neighbor", self.session.peer_address, "softresetin", "-a", _FAMILY[family])

    def updates_received(self) -> int:
        """Return its count of UPDATE messages."""
        received = self._neighbor().get("state", {}).get("messages", {}).get("received", {})
        return int(received.get("update", 0))

    def last_error(self) -> str:
        """Return the neighbor's description and the log."""
        return self.ask("neighbor", self.session.peer_address) + self.log()

    def _neighbor(self) -> dict[str, Any]:
        try:
            found = json.loads(self.ask("-j", "neighbor", self.session.peer_address))
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _configuration(self) -> str:
        session = self.session
        lines = [
            "[global.config]",
            f"as = {session.local_as}",
            f'router-id = "{session.router_id}"',
            f"port = {session.local_port}",
            f'local-address-list = ["{session.local_address}"]',
            "[[neighbors]]",
            "[neighbors.config]",
            f'neighbor-address = "{session.peer_address}"',
            f"peer-as = {session.peer_as}",
            f"local-as = {session.local_as}",
        ]
        if session.password:
            lines.append(f'auth-password = "{session.password}"')
        lines += [
            "[neighbors.transport.config]",
            f'local-address = "{session.local_address}"',
            f"remote-port = {session.peer_port}",
            f"passive-mode = {str(session.passive).lower()}",
            "[neighbors.timers.config]",
            f"hold-time = {session.hold_time}",
            f"keepalive-interval = {max(1, session.hold_time // 3)}",
            "connect-retry = 1",
        ]
        if session.ttl_security:
            lines += ["[neighbors.ttl-security.config]", "enabled = true", "ttl-min = 255"]
        elif not session.ibgp:
            lines += ["[neighbors.ebgp-multihop.config]", "enabled = true", "multihop-ttl = 64"]
        for family in session.families:
            name = f"{_FAMILY[family]}-unicast"
            lines += ["[[neighbors.afi-safis]]", "[neighbors.afi-safis.config]", f'afi-safi-name = "{name}"']
        return "\n".join(lines) + "\n"


def _route(prefix: str, attributes: list[dict[str, Any]]) -> Route:
    by_type = {attribute["type"]: attribute for attribute in attributes}
    reach = by_type.get(3) or by_type.get(14) or {}
    communities = [f"{value >> 16}:{value & 0xFFFF}" for value in by_type.get(8, {}).get("communities", [])]
    large = [
        value if isinstance(value, str) else ":".join(str(value[part]) for part in ("ASN", "LocalData1", "LocalData2"))
        for value in by_type.get(32, {}).get("value", [])
    ]
    path = [asn for segment in by_type.get(2, {}).get("as_paths", []) for asn in segment["asns"]]
    return Route(
        prefix=str(ipaddress.ip_network(prefix)),
        next_hop=reach.get("nexthop", ""),
        origin=_ORIGIN[by_type.get(1, {}).get("value", 0)],
        as_path=tuple(path),
        med=by_type.get(4, {}).get("metric"),
        local_pref=by_type.get(5, {}).get("value"),
        communities=tuple(sorted(communities)),
        large_communities=tuple(sorted(large)),
    )
