"""Commands: what helpers and the command line may say, as values.

`apid.grammar.command_names` says how each is written, `apid.grammar.command` reads a line.
"""

from __future__ import annotations

from msgspec import Struct

from apid.grammar.operational import OperationalRequest
from apid.grammar.route import RouteEntry
from apid.grammar.selector import EVERYONE, Selector
from bgp.family import AFI, FLOW_SAFIS, SAFI, Family

PREFIX_SAFIS = (SAFI.UNICAST, SAFI.MULTICAST, SAFI.NLRI_MPLS, SAFI.MPLS_VPN)


class RouteChange(Struct, frozen=True):
    """Announce or withdraw routes; withdrawals with different attributes are sent apart, as ExaBGP does.

    `wait` says whether the answer waits until peers were sent them, None: as `session sync` says.
    """

    selector: Selector
    announce: bool
    entries: tuple[RouteEntry, ...]
    wait: bool | None = None


class Watchdog(Struct, frozen=True):
    """Announce or withdraw the routes of a watchdog; without name, of the one called like the helper."""

    selector: Selector
    announce: bool
    name: str | None


class EndOfRib(Struct, frozen=True):
    """Send an End-of-RIB marker."""

    selector: Selector
    family: Family


class RouteRefresh(Struct, frozen=True):
    """Ask peers to send a family again."""

    selector: Selector
    family: Family


class OperationalMessage(Struct, frozen=True):
    """Send an operational message."""

    selector: Selector
    message: OperationalRequest


class Teardown(Struct, frozen=True):
    """End sessions with NOTIFICATION Cease and this subcode."""

    selector: Selector
    code: int


class PeerCreate(Struct, frozen=True):
    """Make a neighbor of directives and their values; `keep`: for good, not only until the next reload."""

    peer: str
    words: tuple[str, ...]
    keep: bool


class PeerDelete(Struct, frozen=True):
    """Remove neighbors."""

    selector: Selector


class PeerShutdown(Struct, frozen=True):
    """End sessions and refuse new ones; the peers are told `communication`. `keep` as above."""

    selector: Selector
    communication: str
    keep: bool


class PeerEnable(Struct, frozen=True):
    """Let neighbors that were shut have sessions again."""

    selector: Selector


class ShowNeighbor(Struct, frozen=True):
    """Show neighbors; `form` is summary, extensive, configuration, or empty where it was not said."""

    selector: Selector
    form: str
    json: bool = False


class ShowAdjRib(Struct, frozen=True):
    """Show received (`in`) or sent (`out`) routes; `filter` is empty or what `shows` understands."""

    direction: str
    selector: Selector = EVERYONE
    filter: str = ""
    extensive: bool = False
    json: bool = False

    def shows(self, family: Family) -> bool:
        """Tell whether a family passes the filter: `inet`, `flow`, `l2vpn`, `AFI` or `AFI SAFI`."""
        if self.filter == "inet":
            return family.afi in (AFI.IPV4, AFI.IPV6) and family.safi in PREFIX_SAFIS
        if self.filter == "flow":
            return family.safi in FLOW_SAFIS
        return self.filter in ("", family.afi_name, str(family))


class FlushAdjRibOut(Struct, frozen=True):
    """Send all routes again."""

    selector: Selector


class ClearAdjRib(Struct, frozen=True):
    """Forget received routes (`in`), or withdraw everything sent (`out`)."""

    direction: str
    selector: Selector


class Flush(Struct, frozen=True):
    """Nothing to do: routes leave at once."""


class Shutdown(Struct, frozen=True):
    """End the daemon."""


class Reload(Struct, frozen=True):
    """Read the configuration again."""


class Restart(Struct, frozen=True):
    """Establish every session again and restart the helpers."""


class Reset(Struct, frozen=True):
    """Drop what is queued for the helper; there is no answer unless it was asked for as `session reset`."""

    answer: bool = False


class Version(Struct, frozen=True):
    """Tell the version."""

    json: bool = False


class Help(Struct, frozen=True):
    """List the commands."""

    json: bool = False


class Status(Struct, frozen=True):
    """Tell how the daemon and its sessions are."""


class QueueStatus(Struct, frozen=True):
    """Tell how much waits for each helper."""


class PeerList(Struct, frozen=True):
    """List neighbors with AS and state."""


class Ping(Struct, frozen=True):
    """Answer that the daemon is there; `identifier` is what the client calls itself, if anything."""

    identifier: str = ""


class Bye(Struct, frozen=True):
    """The client leaves."""


class Acknowledge(Struct, frozen=True):
    """Switch acknowledgements: `enable`, `disable` (after this one), `silence` (with this one).

    `explain` is `enable`, with a line `error: REASON` before each `error`.
    """

    mode: str


class Synchronise(Struct, frozen=True):
    """Switch whether an acknowledgement waits until the peers were sent the routes."""

    enabled: bool


class Sync(Struct, frozen=True):
    """Answer once the peers were sent all that was acknowledged; an error after so many seconds."""

    seconds: float


class ApiVersion(Struct, frozen=True):
    """Tell or choose the version of the API; None asks."""

    version: int | None


class Group(Struct, frozen=True):
    """Begin or end a group of commands: changes of routes that are carried out together, or not at all."""

    begin: bool


class Batch(Struct, frozen=True):
    """Several changes on one line."""

    commands: tuple[RouteChange, ...]


class Comment(Struct, frozen=True):
    """Nothing to do: the line begins with #."""


class Debug(Struct, frozen=True):
    """Write a text to the log, without an answer."""

    text: str


class Crash(Struct, frozen=True):
    """Fail on purpose."""


Command = (
    RouteChange
    | Watchdog
    | EndOfRib
    | RouteRefresh
    | OperationalMessage
    | Teardown
    | PeerCreate
    | PeerDelete
    | PeerShutdown
    | PeerEnable
    | ShowNeighbor
    | ShowAdjRib
    | FlushAdjRibOut
    | ClearAdjRib
    | Flush
    | Shutdown
    | Reload
    | Restart
    | Reset
    | Version
    | Help
    | Status
    | QueueStatus
    | PeerList
    | Ping
    | Bye
    | Acknowledge
    | Synchronise
    | Sync
    | ApiVersion
    | Group
    | Batch
    | Comment
    | Debug
    | Crash
)
