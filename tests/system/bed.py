"""A whole daemon in a directory of its own: started, watched, wounded and ended by tests."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from apid.programs import Supervisor
from bgp.family import IPV4_UNICAST
from bus.daemon import RunDirectory
from tests.routers.process import PATIENCE, Process, wait_for
from tests.shared import ROOT
from tests.system.peer import Peer, Route

HELPER = ROOT / "tests" / "routers" / "helper.py"


def route(number: int) -> Route:
    """Return the key of 10.x.y.z/32 in a peer's table."""
    return IPV4_UNICAST, bytes(4) + b"\x20\x0a" + number.to_bytes(3, "big")


def prefix(number: int) -> str:
    """Return 10.x.y.z/32."""
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}/32"


def announce(number: int, extra: str = "") -> str:
    """Return the command that announces 10.x.y.z/32."""
    return f"announce route {prefix(number)} next-hop 192.0.2.1{extra}\n"


def withdraw(number: int) -> str:
    """Return the command that withdraws it."""
    return f"withdraw route {prefix(number)} next-hop 192.0.2.1\n"


def neighbor(peer: Peer, body: str = "", local: str = "127.0.0.1") -> str:
    """Return the configuration of a session with a peer that listens."""
    return (
        f"neighbor {peer.address} {{ router-id 10.0.0.1; local-address {local}; local-as 65001;"
        f" peer-as {peer.settings.local_as}; connect {peer.port}; family {{ ipv4 unicast; ipv6 unicast; }} {body} }}\n"
    )


class Helper:
    """A helper program that says what the test says, and keeps what it hears."""

    def __init__(self, directory: Path, name: str) -> None:
        self.name = name
        self.directory = directory / f"helper-{name}"
        self.directory.mkdir()
        os.mkfifo(self.directory / "commands")
        # Held open, so that what is in it survives the helper.
        self._commands = os.open(self.directory / "commands", os.O_RDWR)
        self._offset = 0
        self._lines = b""

    def configuration(self, body: str = "encoder text;") -> str:
        """Return its process block."""
        return f"process {self.name} {{ run {sys.executable} {HELPER} {self.directory}; {body} }}\n"

    def say(self, text: str) -> None:
        """Have it print commands."""
        octets = text.encode()
        while octets:
            octets = octets[os.write(self._commands, octets) :]

    def heard(self) -> list[str]:
        """Return the lines that are new since the last call, and forget them."""
        try:
            with (self.directory / "lines").open("rb") as file:
                file.seek(self._offset)
                octets = file.read()
        except FileNotFoundError:
            return []
        self._offset += len(octets)
        whole, newline, self._lines = (self._lines + octets).rpartition(b"\n")
        return whole.decode().split("\n") if newline else []

    def answers(self, count: int, seconds: float = PATIENCE) -> list[str]:
        """Wait for lines and return them."""
        lines: list[str] = []

        def enough() -> bool:
            lines.extend(self.heard())
            return len(lines) >= count

        wait_for(enough, seconds, lambda: f"{count} answers, {len(lines)} came", interval=0.01)
        return lines

    def pid(self) -> int | None:
        """Return its process id, None where it does not run."""
        return next(iter(processes_with(str(self.directory))), None)

    def restarted(self, former: int, seconds: float = PATIENCE) -> int:
        """Wait until it runs under another process id; return that."""
        return wait_for(
            lambda: pid if (pid := self.pid()) not in (None, former) else None, seconds, "the helper to start again"
        )

    def close(self) -> None:
        """Let go of the pipe."""
        os.close(self._commands)


class Daemon:
    """`bgpbus run` and everything that it starts."""

    def __init__(self, directory: Path, configuration: str, environment: Mapping[str, str] | None = None) -> None:
        self.directory = directory
        self.run = RunDirectory(directory / "run")
        self.file = directory / "bgpbus.conf"
        self.file.write_text(configuration)
        self.log = directory / "log"
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "exabgp_daemon_user": "root" if os.geteuid() == 0 else "",
            **(environment or {}),
        }
        if not self.environment["exabgp_daemon_user"]:
            del self.environment["exabgp_daemon_user"]
        self.process: Process | None = None
        self.started = 0.0

    def command(self, *words: str) -> list[str]:
        """Return a command line of the product for this run directory."""
        return [sys.executable, "-m", "apid.cli", "--run-dir", str(self.run.path), *words]

    def start(self) -> Daemon:
        """Start; the sockets may take a moment."""
        self.started = time.monotonic()
        self.process = Process(
            self.command("run", str(self.file)), self.log, self.environment, self.directory, death_signal="TERM"
        )
        return self

    def ask(self, *words: str, seconds: float = PATIENCE, text: str | None = None) -> str:
        """Run a command of the product to its end; return what it printed. CalledProcessError where it failed."""
        done = subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            input=text,
            timeout=seconds,
            env=self.environment,
            cwd=self.directory,
            check=False,
        )
        if done.returncode:
            print(f"{words}: {done.stdout}{done.stderr}")  # pytest shows it where the test fails
        done.check_returncode()
        return done.stdout

    def programs(self) -> dict[str, int]:
        """Return the process ids of supervisor's programs that run."""
        try:
            return {each["name"]: each["pid"] for each in Supervisor(self.run).processes() if each["pid"]}
        except OSError:
            return {}

    def wait_for_programs(self, *names: str, seconds: float = PATIENCE) -> dict[str, int]:
        """Wait until these programs run."""
        return wait_for(
            lambda: found if set(names) <= (found := self.programs()).keys() else None,
            seconds,
            lambda: f"{names} to run; there are {self.programs()}; {self.tail()}",
        )

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Kill a program; return the process id that it had."""
        pid = self.wait_for_programs(name)[name]
        os.kill(pid, number)
        return pid

    def restarted(self, name: str, former: int, seconds: float = PATIENCE) -> int:
        """Wait until a program runs again; return its new process id."""
        return wait_for(
            lambda: pid if (pid := self.programs().get(name, former)) != former else None,
            seconds,
            lambda: f"{name} to run again; {self.tail()}",
        )

    def logs(self, text: str, count: int = 1) -> None:
        """Wait until the log has a text so often: a line comes through two other processes, and maybe late."""
        wait_for(
            lambda: self.log.read_text(errors="replace").count(text) >= count,
            PATIENCE,
            lambda: f"{text!r} in the log; {self.tail()}",
        )

    def stop(self, number: int = signal.SIGTERM, seconds: float = PATIENCE) -> int:
        """End it; return its exit status."""
        assert self.process is not None
        if self.process.running():
            self.process.signal(number)
        return self.process.wait(seconds)

    def clean_up(self) -> None:
        """End whatever is left, whatever has happened."""
        if self.process is not None:
            self.process.stop()
        kill_all(str(self.directory))

    def tail(self, lines: int = 25) -> str:
        """Return the end of the log."""
        return "\n" + "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def processes_with(text: str) -> list[int]:
    """Return the processes whose command line holds a text; the directory of a test is one."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                if text.encode() in Path(f"/proc/{entry}/cmdline").read_bytes():
                    found.append(int(entry))
            except OSError:
                continue
    return found


def kill_all(text: str) -> None:
    """Kill the processes whose command line holds a text; some may end by themselves meanwhile."""
    for pid in processes_with(text):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def write_script(path: Path, text: str) -> Path:
    """Write an executable file."""
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return path
