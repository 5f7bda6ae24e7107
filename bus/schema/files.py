"""What control leaves in the run directory: settings, and what it has put in force."""

from __future__ import annotations

from typing import Any

from msgspec import field

from bus.schema.codec import Message, message


@message(50, "control → peerd (file)")
class PeerdSettings(Message, frozen=True):
    """The sessions of one peerd; each is a map of the fields of `bus.settings.SessionConfiguration`."""

    program: str
    sessions: list[dict[str, Any]]


@message(51, "control → bridge (file)")
class HelperSettings(Message, frozen=True):
    """One helper: a map of the fields of `bus.settings.HelperConfiguration`."""

    helper: dict[str, Any]


@message(52, "control → listener | peerd (file)")
class ListenerSettings(Message, frozen=True):
    """Where to listen and for whom; a map of the fields of `bus.settings.ListenerConfiguration`.

    A peerd that has a range finds in it which of its addresses are other neighbors'.
    """

    listener: dict[str, Any]


@message(53, "control (file)")
class AppliedConfiguration(Message, frozen=True):
    """What control has put in force: the routes of each neighbor, by which it finds the difference on reload.

    generation: digest of the configuration. sources: the files that it came from. routes: `[neighbors, changes]`
    pairs, with `[AFI, SAFI, attribute set, items]` changes. programs: the supervisor programs. watchdogs: the routes
    that a watchdog controls, begun announced or not, `[name, neighbors, changes]` each. revision: names this time that
    it was put in force; the same configuration may come again after another one. flow_limits, forgetful: as in `Enrol`.
    identities: a digest of what tells the neighbor from others, by name; it keeps its name as long as it has that.
    """

    generation: str
    sources: list[str]
    neighbors: list[str]
    routes: list[list[Any]]
    programs: list[str]
    watchdogs: list[list[Any]] = field(default_factory=list)
    revision: str = ""
    flow_limits: dict[str, Any] = field(default_factory=dict)
    identities: dict[str, Any] = field(default_factory=dict)
    forgetful: list[str] = field(default_factory=list)


@message(54, "control (file)")
class WatchdogRoutes(Message, frozen=True):
    """Routes that were announced by a command with `watchdog NAME`: `[name, neighbors, changes]`, as above."""

    routes: list[list[Any]]


@message(55, "control (file)")
class LiveNeighbors(Message, frozen=True):
    """What commands did to neighbors; `keep` says whether it outlives a reload and a restart.

    created: `[name, section of a configuration, keep]` of the neighbors that a command created.
    shut: `[name, shutdown communication, keep]` of the neighbors, created or configured, that a command shut.
    origins: the last commands that did so, as in `SessionRequest`.
    identities: as in `AppliedConfiguration`, for a start after a clean end, which leaves nothing of that.
    """

    created: list[list[Any]]
    shut: list[list[Any]]
    origins: list[str] = field(default_factory=list)
    identities: dict[str, Any] = field(default_factory=dict)


@message(56, "control (file)")
class WatchdogChanges(Message, frozen=True):
    """What commands did since to the routes of watchdogs: `[add (1) or remove (0), name, neighbors, changes]` each."""

    changes: list[list[Any]]
