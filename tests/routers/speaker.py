"""The speaker under test: bgpbus, or ExaBGP in its place to check the tests themselves."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.routers.process import PATIENCE, Process, find_program, output_of, wait_for
from tests.routers.router import Route, Session, base_environment

ROOT = Path(__file__).resolve().parent.parent.parent
HELPER = Path(__file__).with_name("helper.py")

Event = dict[str, Any]


def find_exabgp() -> str:
    """Return the `exabgp` program: $BGPBUS_EXABGP, /opt/exabgp or .venv-exabgp here; raises MissingProgram."""
    return find_program(
        os.environ.get("BGPBUS_EXABGP"), "/opt/exabgp/bin/exabgp", ROOT / ".venv-exabgp" / "bin" / "exabgp"
    )


def exabgp_version() -> str:
    """Return for example `ExaBGP : 5.0.15`."""
    return (output_of([find_exabgp(), "version"], 20).splitlines() or ["ExaBGP"])[0]


def start_speaker(
    kind: str, configuration: Path, directory: Path, environment: Mapping[str, str], log: Path | None = None
) -> Process:
    """Start `kind` (`bgpbus` or `exabgp`) on a configuration file; `directory` is for its run directory and log."""
    settings = base_environment(
        exabgp_daemon_user="root", exabgp_api_cli="false", exabgp_log_destination="stderr", **environment
    )
    log = log or directory / "speaker.log"
    if kind == "exabgp":
        return Process([find_exabgp(), "server", configuration], log, settings, death_signal="TERM")
    settings["PYTHONPATH"] = str(ROOT)
    run = directory / "run"
    arguments: list[str | Path] = [sys.executable, "-m", "apid", "run", "--run-dir", run, configuration]
    return Process(arguments, log, settings, directory=ROOT, death_signal="TERM")


class Speaker(Struct):
    """One speaker with one helper that commands all of `sessions` and reads their events as JSON."""

    kind: str
    directory: Path
    sessions: Sequence[Session]
    extra: str = ""
    process: Process | None = None

    @property
    def configuration(self) -> Path:
        """The configuration file, in ExaBGP's language."""
        return self.directory / "speaker.conf"

    def start(self) -> None:
        """Write the configuration and start; returns at once."""
        fifo = self.directory / "commands"
        if not fifo.exists():
            os.mkfifo(fifo)
        self.lines_file.touch()
        self.configuration.write_text(self.text())
        first = self.sessions[0]
        ports = {"exabgp_tcp_port": str(first.local_port), "exabgp_tcp_bind": first.local_address}
        self.process = start_speaker(self.kind, self.configuration, self.directory, ports)

    def text(self) -> str:
        """Return the configuration."""
        helper = f"run {sys.executable} -S -E {HELPER} {self.directory};"
        process = f"process lab {{\n  {helper}\n  encoder json;\n}}\n"
        return process + "".join(_neighbor(session, self.extra) for session in self.sessions)

    def stop(self, seconds: float = 15) -> None:
        """End it as an operator would, with SIGTERM, and kill what is left."""
        if self.process is not None:
            self.process.stop(seconds)

    def log(self) -> str:
        """Return the end of its log."""
        return self.process.tail(40) if self.process is not None else "(not started)"

    @property
    def lines_file(self) -> Path:
        """Everything that the helper read."""
        return self.directory / "lines"

    def lines(self) -> list[str]:
        """Return the whole lines that the helper read so far."""
        text = self.lines_file.read_text()
        return text[: text.rfind("\n") + 1].splitlines()

    def answers(self) -> list[str]:
        """Return the acknowledgements so far."""
        return [line for line in self.lines() if line in ("done", "error")]

    def events(self, kind: str | None = None) -> list[Event]:
        """Return the JSON events so far, of one type where `kind` is given."""
        found = [json.loads(line) for line in self.lines() if line.startswith("{")]
        return [event for event in found if kind is None or event.get("type") == kind]

    def command(self, *lines: str, seconds: float = PATIENCE) -> list[str]:
        """Write commands through the helper and return an answer for each."""
        before = len(self.answers())
        with (self.directory / "commands").open("w") as fifo:
            fifo.write("".join(f"{line}\n" for line in lines))
        self.wait(lambda: len(self.answers()) >= before + len(lines), seconds, f"{len(lines)} answers to {lines}")
        return self.answers()[before : before + len(lines)]

    def received(self, family: str) -> dict[str, Route]:
        """Return the routes that the events leave in place, {prefix: route}."""
        held: dict[str, Route] = {}
        for event in self.events("update"):
            if event["neighbor"].get("direction") != "receive":
                continue
            update = event["neighbor"]["message"].get("update", {})
            for gone in update.get("withdraw", {}).get(family, []):
                held.pop(gone["nlri"], None)
            for next_hop, prefixes in update.get("announce", {}).get(family, {}).items():
                for entry in prefixes:
                    held[entry["nlri"]] = _route(entry["nlri"], next_hop, update.get("attribute", {}))
        return held

    def states(self) -> list[str]:
        """Return the session states so far: connected, up, down."""
        return [event["neighbor"]["state"] for event in self.events("state")]

    def notifications(self, direction: str) -> list[tuple[int, int]]:
        """Return the (code, subcode) of the NOTIFICATIONs with `direction` `send` or `receive`."""
        found = [event["neighbor"] for event in self.events("notification") if "neighbor" in event]
        bodies = [one["notification"] for one in found if one.get("direction") == direction]
        return [(body["code"], body["subcode"]) for body in bodies]

    def wait(self, condition: Callable[[], object], seconds: float, what: str) -> None:
        """Poll `condition`; raises TimeoutError with the end of the log and of the events."""
        wait_for(
            lambda: condition() or None,
            seconds,
            lambda: f"{what}\nlog of {self.kind}:\n{self.log()}\nlast events:\n" + "\n".join(self.lines()[-8:]),
            0.05,
            self.process,
        )

    def wait_established(self, seconds: float = PATIENCE, times: int = 1) -> None:
        """Wait for the `times`-th `up`."""
        self.wait(lambda: self.states().count("up") >= times, seconds, f"state up number {times}")

    def wait_received(self, family: str, prefixes: Sequence[str], seconds: float = PATIENCE) -> dict[str, Route]:
        """Wait until the helper knows all of `prefixes`; return {prefix: route}."""
        self.wait(lambda: self.received(family).keys() >= set(prefixes), seconds, f"routes {sorted(prefixes)}")
        return self.received(family)


def _neighbor(session: Session, extra: str) -> str:
    lines = [
        f"router-id {session.router_id};",
        f"local-address {session.local_address};",
        f"local-as {session.local_as};",
        f"peer-as {session.peer_as};",
        f"hold-time {session.hold_time};",
        "passive true;" if session.passive else f"connect {session.peer_port};",
    ]
    if session.password:
        lines.append(f'md5-password "{session.password}";')
    if session.ttl_security:
        lines += ["outgoing-ttl 255;", "incoming-ttl 255;"]
    on = {True: "enable", False: "disable"}
    capabilities = [
        "route-refresh enable;",
        f"asn4 {on[session.four_octet_as]};",
        f"extended-message {on[session.extended_message]};",
    ]
    lines.append(f"capability {{ {' '.join(capabilities)} }}")
    lines.append(f"family {{ {' '.join(f'{family};' for family in session.families)} }}")
    receive = "receive { parsed; open; update; notification; refresh; }"
    lines.append(f"api {{ processes [ lab ]; neighbor-changes; {receive} send {{ parsed; notification; }} }}")
    if session.announce:
        lines.append("static {\n" + "".join(f"    route {route.command()};\n" for route in session.announce) + "  }")
    body = "".join(f"  {line}\n" for line in lines)
    return f"neighbor {session.peer_address} {{\n{body}{extra}}}\n"


def _route(prefix: str, next_hop: str, attribute: Event) -> Route:
    path: list[int] = []
    for segment in attribute.get("as-path", {}).values():
        path += segment["value"]
    communities = [":".join(map(str, value)) for value in attribute.get("community", [])]
    large = [":".join(map(str, value)) for value in attribute.get("large-community", [])]
    return Route(
        prefix=prefix,
        next_hop=next_hop,
        origin=attribute.get("origin", "igp"),
        as_path=tuple(path),
        med=attribute.get("med"),
        local_pref=attribute.get("local-preference"),
        communities=tuple(sorted(communities)),
        large_communities=tuple(sorted(large)),
    )
