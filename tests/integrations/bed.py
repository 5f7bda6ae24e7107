"""The well-known ways of driving ExaBGP, side by side: helpers of examples/, the product, and BIRD."""

from __future__ import annotations

import sys
from http.client import HTTPConnection
from pathlib import Path

from tests.routers.bird import Bird
from tests.routers.process import PATIENCE, free_port, wait_for
from tests.routers.router import IPV4, Route, Session
from tests.shared import ROOT
from tests.system.bed import Daemon

EXAMPLES = ROOT / "examples"
BIRD_ADDRESS, OWN_ADDRESS = "127.0.9.200", "127.0.0.1"
LEARNT = Route(prefix="203.0.113.0/24", next_hop="192.0.2.7", communities=("65002:7",))
SCRIPT = """\
# A day in the life of a prefix.
announce route 198.51.100.64/28 next-hop 192.0.2.1 med 10
sleep 1.5
announce route 198.51.100.64/28 next-hop 192.0.2.1 med 20   # dearer
"""


class Integrations:
    """Everything that a test here looks at."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.http_port, self.injector_port = free_port(), free_port()
        session = Session(
            local_address=BIRD_ADDRESS,
            local_port=free_port(),
            local_as=65002,
            peer_address=OWN_ADDRESS,
            peer_port=179,
            peer_as=65001,
            router_id="10.0.0.2",
            passive=True,
            families=(IPV4,),
            announce=(LEARNT,),
        )
        self.bird = Bird(session=session, directory=directory / "bird")
        self.bird.directory.mkdir()
        (directory / "script").write_text(SCRIPT)
        self.daemon = Daemon(directory, self._configuration(session.local_port))

    def _configuration(self, port: int) -> str:
        python = sys.executable
        programs = {
            "fifo": f"{EXAMPLES}/fifo.sh {self.fifo}",
            "http": f"{python} {EXAMPLES}/http_front.py {self.http_port}",
            "injector": f"{python} {EXAMPLES}/injector.py {self.injector_port}",
            "script": f"{python} {EXAMPLES}/script.py {self.directory}/script",
            "maintenance": f"{EXAMPLES}/maintenance.sh 198.51.100.96/28 {self.maintenance}",
        }
        helpers = "".join(f"process {name} {{ run {run}; encoder text; }}\n" for name, run in programs.items())
        collector = f"{python} {EXAMPLES}/sqlite_collector.py {self.database}"
        return f"""{helpers}
process collector {{ run {collector}; encoder json; }}
neighbor {BIRD_ADDRESS} {{
    router-id 10.0.0.1; local-address {OWN_ADDRESS}; local-as 65001; peer-as 65002; connect {port};
    family {{ ipv4 unicast; }}
    api {{ processes [ {" ".join(programs)} ]; }}
    api {{ processes [ collector ]; neighbor-changes; receive {{ parsed; update; }} }}
}}
"""

    @property
    def fifo(self) -> Path:
        """The pipe that other programs write to."""
        return self.directory / "commands"

    @property
    def maintenance(self) -> Path:
        """The file whose presence withdraws a prefix."""
        return self.directory / "maintenance"

    @property
    def database(self) -> Path:
        """What the collector keeps."""
        return self.directory / "routes.db"

    def start(self) -> None:
        """Start both ends, and wait for the session."""
        self.bird.start()
        self.daemon.start()
        wait_for(lambda: self.bird.established() or None, PATIENCE, lambda: f"the session{self.daemon.tail()}", 0.2)

    def stop(self) -> None:
        """End both."""
        self.daemon.clean_up()
        self.bird.stop()

    def routes(self) -> dict[str, Route]:
        """Return what BIRD has from us."""
        return self.bird.routes(IPV4)

    def has(self, prefix: str) -> Route:
        """Wait until BIRD has a prefix."""
        return wait_for(lambda: self.routes().get(prefix), PATIENCE, lambda: f"{prefix}{self.daemon.tail()}", 0.1)

    def has_not(self, prefix: str) -> None:
        """Wait until BIRD does not have a prefix."""
        wait_for(lambda: prefix not in self.routes() or None, PATIENCE, lambda: f"no {prefix}{self.daemon.tail()}", 0.1)

    def request(self, port: int, method: str, path: str, body: str = "", kind: str = "") -> tuple[int, str]:
        """Make an HTTP request; return status and body."""

        def connected() -> HTTPConnection | None:
            connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            try:
                connection.connect()
            except ConnectionRefusedError:
                return None
            return connection

        connection = wait_for(connected, PATIENCE, f"port {port}")
        connection.request(method, path, body, {"content-type": kind} if kind else {})
        response = connection.getresponse()
        return response.status, response.read().decode()
