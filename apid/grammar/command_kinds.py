"""Commands: what helpers and the command line may say, as values.

`apid.grammar.command_names` says how each is written, `apid.grammar.command` reads a line.
"""

from __future__ import annotations

from dataclasses import dataclass

from apid.grammar.operational import OperationalRequest
from apid.grammar.route import RouteEntry
from apid.grammar.selector import EVERYONE, Selector
from bgp.family import AFI, FLOW_SAFIS, SAFI, Family

PREFIX_SAFIS = (SAFI.UNICAST, SAFI.MULTICAST, SAFI.NLRI_MPLS, SAFI.MPLS_VPN)


@dataclass(frozen=True, slots=True)
class RouteChange:
    """Announce or withdraw routes; withdrawals with different attributes are sent apart, as ExaBGP does.

    `wait` says whether the answer waits until peers were sent them, None: as `session sync` says.
    """

    selector: Selector
    announce: bool
    entries: tuple[RouteEntry, ...]
    wait: bool | None = None


@dataclass(frozen=True, slots=True)
class Watchdog:
    """Announce or withdraw the routes of a watchdog; without name, of the one called like the helper."""

    selector: Selector
    announce: bool
    name: str | None


@dataclass(frozen=True, slots=True)
class EndOfRib:
    """Send an End-of-RIB marker."""

    selector: Selector
    family: Family


@dataclass(frozen=True, slots=True)
class RouteRefresh:
    """Ask peers to send a family again."""

    selector: Selector
    family: Family


@dataclass(frozen=True, slots=True)
class OperationalMessage:
    """Send an operational message."""

    selector: Selector
    message: OperationalRequest


@dataclass(frozen=True, slots=True)
class Teardown:
    """End sessions with NOTIFICATION Cease and this subcode."""

    selector: Selector
    code: int


@dataclass(frozen=True, slots=True)
class PeerCreate:
    """Make a neighbor of directives and their values; `keep`: for good, not only until the next reload."""

    peer: str
    words: tuple[str, ...]
    keep: bool


@dataclass(frozen=True, slots=True)
class PeerDelete:
    """Remove neighbors."""

    selector: Selector


@dataclass(frozen=True, slots=True)
class PeerShutdown:
    """End sessions and refuse new ones; the peers are told `communication`. `keep` as above."""

    selector: Selector
    communication: str
    keep: bool


@dataclass(frozen=True, slots=True)
class PeerEnable:
    """Let neighbors that were shut have sessions again."""

    selector: Selector


@dataclass(frozen=True, slots=True)
class ShowNeighbor:
    """Show neighbors; `form` is summary, extensive, configuration, or empty where it was not said."""

    selector: Selector
    form: str
    json: bool = False


@dataclass(frozen=True, slots=True)
class ShowAdjRib:
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


@dataclass(frozen=True, slots=True)
class FlushAdjRibOut:
    """Send all routes again."""

    selector: Selector


@dataclass(frozen=True, slots=True)
class ClearAdjRib:
    """Forget received routes (`in`), or withdraw everything sent (`out`)."""

    direction: str
    selector: Selector


@dataclass(frozen=True, slots=True)
class Flush:
    """Nothing to do: routes leave at once."""


@dataclass(frozen=True, slots=True)
class Shutdown:
    """End the daemon."""


@dataclass(frozen=True, slots=True)
class Reload:
    """Read the configuration again."""


@dataclass(frozen=True, slots=True)
class Restart:
    """Establish every session again and restart the helpers."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Drop what is queued for the helper; there is no answer unless it was asked for as `session reset`."""

    answer: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """Tell the version."""

    json: bool = False


@dataclass(frozen=True, slots=True)
class Help:
    """List the commands."""

    json: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """Tell how the daemon and its sessions are."""


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """Tell how much waits for each helper."""


@dataclass(frozen=True, slots=True)
class PeerList:
    """List neighbors with AS and state."""


@dataclass(frozen=True, slots=True)
class Ping:
    """Answer that the daemon is there; `identifier` is what the client calls itself, if anything."""

    identifier: str = ""


@dataclass(frozen=True, slots=True)
class Bye:
    """The client leaves."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Switch acknowledgements: `enable`, `disable` (after this one), `silence` (with this one).

    `explain` is `enable`, with a line `error: REASON` before each `error`.
    """

    mode: str


@dataclass(frozen=True, slots=True)
class Synchronise:
    """Switch whether an acknowledgement waits until the peers were sent the routes."""

    enabled: bool


@dataclass(frozen=True, slots=True)
class Sync:
    """Answer once the peers were sent all that was acknowledged; an error after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """Tell or choose the version of the API; None asks."""

    version: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """Begin or end a group of commands: changes of routes that are carried out together, or not at all."""

    begin: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """Several changes on one line."""

    commands: tuple[RouteChange, ...]


@dataclass(frozen=True, slots=True)
class Comment:
    """Nothing to do: the line begins with #."""


@dataclass(frozen=True, slots=True)
class Debug:
    """Write a text to the log, without an answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Crash:
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
