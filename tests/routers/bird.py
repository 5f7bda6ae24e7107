"""BIRD 2, asked through birdcl."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct, field

from tests.routers.process import PATIENCE, Process, find_program, output_of, wait_for
from tests.routers.router import IPV4, IPV6, Route, Router

_CHANNEL = {IPV4: "ipv4", IPV6: "ipv6"}
_TABLE = {IPV4: "master4", IPV6: "master6"}
_ORIGIN = {"IGP": "igp", "EGP": "egp", "Incomplete": "incomplete"}
_ORIGIN_NAME = {"igp": "ORIGIN_IGP", "egp": "ORIGIN_EGP", "incomplete": "ORIGIN_INCOMPLETE"}


class Bird(Router):
    """One BIRD with a protocol `peer` and static routes in the protocols `own4` and `own6`."""

    NAME = "BIRD"

    announced: dict[str, Route] = field(default_factory=dict)

    @classmethod
    def version(cls) -> str:
        """Return for example `BIRD version 2.0.12`."""
        return output_of(["sh", "-c", f"{find_program('bird')} --version 2>&1"]).strip()

    def start(self) -> None:
        """Write bird.conf and start bird in the foreground."""
        self.announced = {route.prefix: route for route in self.session.announce}
        self._write()
        arguments: list[str | Path] = [
            find_program("bird"),
            "-f",
            "-c",
            self.directory / "bird.conf",
            "-s",
            self._socket,
        ]
        self.process = Process([*arguments, "-P", self.directory / "bird.pid"], self.directory / "bird.log")

    @property
    def _socket(self) -> str:
        return str(self.directory / "bird.ctl")

    def ask(self, command: str) -> str:
        """Return what birdcl prints for `command`."""
        return output_of([find_program("birdcl"), "-s", self._socket, *command.split()])

    def established(self) -> bool:
        """Look for Established in `show protocols`."""
        return "Established" in self.ask("show protocols peer")

    def routes(self, family: str) -> dict[str, Route]:
        """Parse `show route all`."""
        found: dict[str, Route] = {}
        prefix = ""
        attributes: dict[str, str] = {}
        table = self.ask(f"show route table {_TABLE[family]} protocol peer all")
        for line in [*table.splitlines(), "end unicast"]:
            if match := re.match(r"(\S+)\s+(unicast|unreachable|blackhole)\b|end unicast", line):
                if prefix:
                    found[prefix] = _route(prefix, attributes)
                prefix, attributes = match[1] or "", {}
            elif match := re.match(r"\s+BGP\.(\w+): ?(.*)", line):
                attributes[match[1]] = match[2]
        return found

    def announce(self, *routes: Route) -> None:
        """Add static routes and reconfigure."""
        self.announced.update({route.prefix: route for route in routes})
        self._write()
        self.ask("configure")

    def withdraw(self, *prefixes: str) -> None:
        """Remove static routes and reconfigure."""
        for prefix in prefixes:
            del self.announced[prefix]
        self._write()
        self.ask("configure")

    def request_refresh(self, family: str) -> None:
        """Use `reload in`, which asks for all families."""
        self.ask("reload in peer")

    def updates_received(self) -> int:
        """Sum the received import updates of all channels."""
        return sum(int(count) for count in re.findall(r"Import updates:\s+(\d+)", self.ask("show protocols all peer")))

    def last_error(self) -> str:
        """Return the protocol's state and the log."""
        return self.ask("show protocols all peer") + self.log()

    def _meds(self, family: str) -> str:
        """Return statements that set MED: on eBGP it is kept only where the export filter sets it."""
        routes = [route for route in self.announced.values() if route.family == family and route.med is not None]
        return " ".join(f"if net = {route.prefix} then bgp_med = {route.med};" for route in routes)

    def _write(self) -> None:
        (self.directory / "bird.conf").write_text(self._configuration())

    def _configuration(self) -> str:
        session = self.session
        lines = [
            f'log "{self.directory}/bird.log" all;',
            f"router id {session.router_id};",
            "protocol device {}",
        ]
        for family, channel in _CHANNEL.items():
            routes = [route for route in self.announced.values() if route.family == family]
            body = "".join(f"  {_static(route)}\n" for route in routes)
            lines.append(f"protocol static own{channel[-1]} {{ {channel};\n{body}}}")
        hops = " 1" if session.ttl_security else ""
        lines.append("protocol bgp peer {")
        lines.append(f"  local {session.local_address} port {session.local_port} as {session.local_as};")
        lines.append(f"  neighbor {session.peer_address} port {session.peer_port} as {session.peer_as};")
        lines.append("  strict bind off; error wait time 1,1; connect delay time 1; connect retry time 1;")
        lines.append(f"  hold time {session.hold_time}; multihop{hops}; enable route refresh on;")
        lines.append(f"  enable extended messages {'on' if session.extended_message else 'off'};")
        lines.append(f"  enable as4 {'on' if session.four_octet_as else 'off'};")
        if session.passive:
            lines.append("  passive;")
        if session.password:
            lines.append(f'  password "{session.password}";')
        if session.ttl_security:
            lines.append("  ttl security;")
        for family in session.families:
            own = "192.0.2.254" if family == IPV4 else "2001:db8::254"
            lines.append(
                f"  {_CHANNEL[family]} {{ import all; gateway recursive; next hop address {own}; next hop keep;"
                f" export filter {{ if source != RTS_STATIC then reject; {self._meds(family)} accept; }}; }};"
            )
        lines.append("}")
        return "\n".join(lines) + "\n"


class ConfiguredBird(Struct):
    """A BIRD with the protocols that a test writes, by files in a directory of its own."""

    directory: Path
    configuration: str
    process: Process | None = None

    def start(self) -> ConfiguredBird:
        """Start in the foreground; everything is logged."""
        self.directory.mkdir()
        log = f'log "{self.directory}/bird.log" all; router id 10.0.0.{len(self.directory.name)};\n'
        (self.directory / "bird.conf").write_text(log + "protocol device {}\n" + self.configuration)
        files = ("-c", self.directory / "bird.conf", "-s", self.directory / "ctl", "-P", self.directory / "pid")
        self.process = Process([find_program("bird"), "-f", *files], self.directory / "output")
        return self

    def ask(self, *words: str) -> str:
        """Return what birdcl prints."""
        return output_of([find_program("birdcl"), "-s", self.directory / "ctl", *words])

    def count(self) -> int:
        """Return how many routes there are; none while it starts."""
        return sum(map(int, re.findall(r"^(\d+) of \d+ routes", self.ask("show", "route", "count"), re.MULTILINE)[:1]))

    def has(self, count: int, seconds: float = PATIENCE) -> None:
        """Wait until there are so many routes."""
        wait_for(lambda: self.count() == count, seconds, lambda: f"{count} routes in BIRD, {self.count()} are there")

    def log(self) -> str:
        """Return everything that was logged."""
        return (self.directory / "bird.log").read_text()


def _static(route: Route) -> str:
    sets = [f"bgp_next_hop = {route.next_hop};", f"bgp_origin = {_ORIGIN_NAME[route.origin]};"]
    sets += [f"bgp_path.prepend({asn});" for asn in reversed(route.as_path)]
    if route.local_pref is not None:
        sets.append(f"bgp_local_pref = {route.local_pref};")
    sets += [f"bgp_community.add(({value.replace(':', ',')}));" for value in route.communities]
    sets += [f"bgp_large_community.add(({value.replace(':', ',')}));" for value in route.large_communities]
    return f"route {route.prefix} blackhole {{ {' '.join(sets)} }};"


def _route(prefix: str, attributes: dict[str, str]) -> Route:
    def values(name: str) -> tuple[str, ...]:
        found = re.findall(r"\(([\d, ]+)\)", attributes.get(name, ""))
        return tuple(sorted(value.replace(" ", "").replace(",", ":") for value in found))

    def number(name: str) -> int | None:
        return int(attributes[name]) if name in attributes else None

    return Route(
        prefix=prefix,
        next_hop=attributes.get("next_hop", "").split(" ")[0],
        origin=_ORIGIN[attributes.get("origin", "IGP")],
        as_path=tuple(int(word) for word in attributes.get("as_path", "").split() if word.isdigit()),
        med=number("med"),
        local_pref=number("local_pref"),
        communities=values("community"),
        large_communities=values("large_community"),
    )
