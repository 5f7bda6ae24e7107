"""The product as it runs, and what can be seen of it: log, helpers' lines, daemons, memory."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from bus.daemon import RunDirectory
from tests.routers.process import PATIENCE, Process, free_port, output_of, wait_for
from tests.routers.speaker import start_speaker

ADDRESS = "127.0.0.1"
HELPERS = Path(__file__).with_name("programs")
Event = dict[str, Any]


class Product(Struct):
    """One bgpbus with its run directory, listening on `ADDRESS`."""

    directory: Path
    configuration: str
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: Process | None = None

    def start(self) -> Product:
        """Write the configuration and start; returns when it listens."""
        path = self.directory / "bgpbus.conf"
        path.write_text(self.configuration)
        settings = {"exabgp_tcp_port": str(self.port), "exabgp_tcp_bind": ADDRESS, **self.environment}
        self.process = start_speaker("bgpbus", path, self.directory, settings)
        self.wait(lambda: "listening address=" in self.log(), PATIENCE, "the listener")
        programs = {path.stem for path in self.run.programs.glob("*.conf")}
        self.wait(lambda: self.daemons().keys() >= {"broker", "ribd", "control", *programs}, PATIENCE, "every daemon")
        return self

    def __enter__(self) -> Product:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it with SIGTERM, and kill what is left."""
        if self.process is not None:
            self.process.stop(15)

    @property
    def target(self) -> tuple[str, int]:
        """Where peers connect to."""
        return ADDRESS, self.port

    @property
    def run(self) -> RunDirectory:
        """The run directory."""
        return RunDirectory(self.directory / "run")

    def log(self) -> str:
        """Return the log so far."""
        assert self.process is not None
        return self.process.log.read_text(errors="replace")

    def wait(self, condition: Any, seconds: float, what: str) -> Any:
        """Poll until `condition` is true; TimeoutError with the end of the log."""
        assert self.process is not None
        process = self.process
        return wait_for(lambda: condition() or None, seconds, lambda: f"{what}\n{process.tail(30)}", 0.02, self.process)

    def daemons(self) -> dict[str, int]:
        """Return the pid of each daemon, as its lock says."""
        found = {}
        for path in self.run.path.glob("*.lock"):
            text = path.read_text().strip()
            if text and os.path.exists(f"/proc/{text}"):
                found[path.stem] = int(text)
        return found

    def ask(self, *words: str) -> str:
        """Run the command line on this run directory; return what it prints."""
        return output_of([Path(sys.executable).with_name("bgpbus"), "--run-dir", self.run.path, *words], PATIENCE)

    def memory(self) -> dict[str, int]:
        """Return the largest resident size that each daemon has had, in MiB."""
        return {name: memory_of(pid) for name, pid in self.daemons().items()}


def memory_of(pid: int) -> int:
    """Return VmHWM of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    return 0


def neighbor(
    peer: str,
    *,
    local_as: int = 65000,
    peer_as: int = 65001,
    hold_time: int = 90,
    families: tuple[str, ...] = ("ipv4 unicast",),
    helpers: tuple[str, ...] = (),
    receive: str = "receive { parsed; open; update; notification; refresh; }",
    extra: str = "",
) -> str:
    """Return the configuration of a passive neighbor."""
    api = f"api {{ processes [ {' '.join(helpers)} ]; neighbor-changes; {receive} }}" if helpers else ""
    return textwrap.dedent(f"""\
        neighbor {peer} {{
          router-id 10.0.0.254;
          local-address {ADDRESS};
          local-as {local_as};
          peer-as {peer_as};
          hold-time {hold_time};
          passive true;
          {extra}
          capability {{ route-refresh enable; extended-message disable; }}
          family {{ {" ".join(f"{family};" for family in families)} }}
          {api}
        }}
        """)


def process(name: str, program: str, *arguments: object, options: str = "encoder json;") -> str:
    """Return the configuration of a helper: a program of `programs/`, run by this Python."""
    words = " ".join(map(str, arguments))
    return f"process {name} {{\n  run {sys.executable} -S -E {HELPERS / program} {words};\n  {options}\n}}\n"


class Lines(Struct):
    """A file that a helper appends what it reads to; only whole lines are taken in."""

    path: Path
    _offset: int = 0
    _rest: bytes = b""

    def new(self) -> list[bytes]:
        """Return the lines that came since the last call."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._offset)
            octets = file.read()
        self._offset += len(octets)
        *lines, self._rest = (self._rest + octets).split(b"\n")
        return lines

    def new_events(self) -> list[Event]:
        """Return the JSON events that came since the last call; a line that is none fails the test."""
        return [json.loads(line) for line in self.new() if line not in (b"done", b"error")]
