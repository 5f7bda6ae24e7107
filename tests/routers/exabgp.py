"""ExaBGP as the other router; its own JSON says what it received."""

from __future__ import annotations

from tests.routers.router import Route, Router
from tests.routers.speaker import Speaker, exabgp_version


class ExaBgp(Router):
    """One ExaBGP with a helper."""

    NAME = "ExaBGP"

    speaker: Speaker | None = None

    @classmethod
    def version(cls) -> str:
        """Return for example `ExaBGP : 5.0.15`."""
        return exabgp_version()

    def start(self) -> None:
        """Start it with its routes in the configuration."""
        self.speaker = Speaker("exabgp", self.directory, [self.session])
        self.speaker.start()
        self.process = self.speaker.process

    @property
    def lab(self) -> Speaker:
        """The speaker that this router is, once started."""
        assert self.speaker is not None
        return self.speaker

    def established(self) -> bool:
        """Look at the last session state that its helper read."""
        return self.lab.states()[-1:] == ["up"]

    def routes(self, family: str) -> dict[str, Route]:
        """Replay the updates that its helper read."""
        return self.lab.received(family)

    def announce(self, *routes: Route) -> None:
        """Announce through the helper."""
        self.lab.command(*(f"announce route {route.command()}" for route in routes))

    def withdraw(self, *prefixes: str) -> None:
        """Withdraw through the helper."""
        self.lab.command(*(f"withdraw route {prefix}" for prefix in prefixes))

    def request_refresh(self, family: str) -> None:
        """Send a ROUTE-REFRESH by command."""
        self.lab.command(f"announce route-refresh {family}")

    def updates_received(self) -> int:
        """Return the number of update events."""
        return len(self.lab.events("update"))

    def last_error(self) -> str:
        """Return the received NOTIFICATIONs and the log."""
        return f"received {self.lab.notifications('receive')}\n{self.log()}"
