"""What `make run` does: the lab router and bgpbus side by side, what both say in one window, until Ctrl-C."""

from __future__ import annotations

import os
import pwd
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bus.daemon import die_with_parent
from tools.lab.router import LabRouter
from tools.lab.session import read_announcement

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIGURATION = ROOT / "examples" / "quickstart.conf"
ADDRESS, PORT, ROUTER_AS = "127.0.0.2", 1790, 65002
ROUTE = "203.0.113.0/24 next-hop 192.0.2.2 as-path [ 65002 64500 ] community [ 65002:7 ]"
TURN = 0.25  # seconds after which a signal is noticed at the latest
STOP_SECONDS = 10.0  # for bgpbus to end after SIGTERM
HELPER_LINE = re.compile(r".* helper stderr: (.*)")
DATE = re.compile(r"\d{4}-\d\d-\d\d (\d\d:\d\d:\d\d),\d{3} ")

ARRIVED = "the helper's command became a BGP UPDATE: helper → its bridge → ribd → peerd → this router"
RECEIVED = "the router's own route became a line of JSON for the helper: router → peerd → bridge → helper"


class Quickstart:
    """One run: prints lines of the router, of the helper and of the log, and explains the first of each kind."""

    def __init__(self, configuration: Path, directory: Path) -> None:
        self._explained: set[str] = set()
        self._rest = b""
        self._arrived = self._answered = False
        self.router = LabRouter(ADDRESS, PORT, ROUTER_AS, (), self._heard)
        self.process = self._start(configuration, directory)
        assert self.process.stdout is not None
        self._output = self.process.stdout.fileno()
        os.set_blocking(self._output, False)
        self.router.selector.register(self._output, selectors.EVENT_READ, self._read)

    def _start(self, configuration: Path, directory: Path) -> subprocess.Popen[bytes]:
        parent = os.getpid()
        kept = {name: value for name, value in os.environ.items() if not name.lower().startswith("exabgp")}
        settings = {
            "exabgp_tcp_port": str(self.router.port),
            # The checkout may be where no other user can read: helpers run as whoever typed the command.
            "exabgp_daemon_user": _user(),
            "BGPBUS_RUN_DIR": str(directory),
            "PYTHONPATH": str(ROOT),
        }
        return subprocess.Popen(
            [sys.executable, "-m", "apid", "run", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=kept | settings,
            process_group=0,  # Ctrl-C is for us; we end the others in order
            preexec_fn=lambda: die_with_parent(parent),
        )

    def _heard(self, text: str) -> None:
        self._print("router", text)
        if "route arrived" in text:
            self._explain(ARRIVED)
            self._arrived = True

    def _read(self, _events: int) -> None:
        octets = os.read(self._output, 65536)
        if not octets:
            self.router.selector.unregister(self._output)
        *lines, self._rest = (self._rest + octets).split(b"\n")
        for line in lines:
            self._logged(line.decode(errors="replace"))

    def _logged(self, line: str) -> None:
        if helper := HELPER_LINE.fullmatch(line):
            self._print("helper", helper[1])
            if helper[1].startswith("received"):
                self._explain(RECEIVED)
        else:
            self._print("bgpbus", DATE.sub("", line))

    def _print(self, who: str, text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {who} | {text}", flush=True)

    def _explain(self, text: str) -> None:
        if text not in self._explained:
            self._explained.add(text)
            print(f"         ↑ {text}", flush=True)

    def run(self) -> int:
        """Go on until a signal, or until bgpbus ends by itself; return the exit code."""
        signals: list[int] = []
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _frame: signals.append(number))
        while not signals and self.process.poll() is None:
            self.router.turn(TURN)
            if self._arrived and not self._answered:
                self._answered = True
                self.router.announce(read_announcement(ROUTE))
        if not signals:
            self.router.turn(0.1)
            print(f"bgpbus ended by itself, exit code {self.process.returncode}", file=sys.stderr)
        self._stop()
        return 0 if signals else 1

    def _stop(self) -> None:
        """End bgpbus first: the router then shows how its session was closed."""
        if self.process.poll() is None:
            print("\nstopping", flush=True)
            self.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            self.router.turn(0.1)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.router.turn(0.1)
        self.router.stop()


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def introduce(run: Quickstart, configuration: Path, directory: Path) -> None:
    """Say what is to be seen."""
    command = Path(sys.executable).with_name("bgpbus")
    print(
        f"""
This is bgpbus with {configuration.name} (127.0.0.1) beside a lab router ({run.router.address} port {run.router.port},
AS {ROUTER_AS}). Ctrl-C ends both. In another terminal:

  {command} --run-dir {directory} show neighbor summary
  {command} --run-dir {directory} announce route 198.51.100.7/32 next-hop self
  {command} --run-dir {directory} tap
""",
        flush=True,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `examples/quickstart.conf`, or the file that is given."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    configuration = Path(given[0] if given else CONFIGURATION).resolve()
    die_with_parent(os.getppid())
    directory = Path(tempfile.mkdtemp(prefix="bgpbus-", dir="/tmp"))  # short: sockets in it have names of 107 octets
    try:
        run = Quickstart(configuration, directory)
        introduce(run, configuration, directory)
        return run.run()
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
