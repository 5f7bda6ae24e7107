"""A neighbor that is a range of addresses: a session for each address that connects, made when it does.

All are sent the range's routes. A session that has been down for a while is forgotten. Their number is bounded: once
the bound is reached, a new address is refused unless one that is down can be forgotten for it. An address that another
neighbor has, or gets, is not one of the range.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from msgspec.structs import replace

from bgp.notification import (
    ADMINISTRATIVE_SHUTDOWN,
    CONNECTION_REJECTED,
    OUT_OF_RESOURCES,
    PEER_DECONFIGURED,
    Notification,
)
from bus.loop import Loop
from bus.names import address_of, session_name
from bus.schema import Message, Pull, SchemaError, Subscribe
from bus.settings import SessionConfiguration
from peerd.connection import Refusals
from peerd.expected import Owners
from peerd.session import Session

MOST = 1024  # sessions of a range at once
FORGET = 600.0  # seconds after which an address that has no connection is forgotten
LOOK = 30.0  # seconds between looks at who is away


class Range:
    """The sessions of one range, by name. `make` starts none of them; `to_ribd` is for the range as a whole."""

    def __init__(
        self,
        loop: Loop,
        configuration: SessionConfiguration,
        owners: Owners,
        make: Callable[[SessionConfiguration], Session],
        to_ribd: Callable[[Message], bool],
        log: logging.Logger,
    ) -> None:
        self.configuration = configuration
        self.spent = False  # it never dials
        self.sessions: dict[str, Session] = {}
        self._owners = owners
        self._local: dict[str, str] = {}  # by session, our address
        self._leaving: list[Session] = []  # of addresses that are another neighbor's; NOTIFICATIONs may be on the way
        self._loop, self._make, self._to_ribd, self._log = loop, make, to_ribd, log
        self._refusals = Refusals(loop)
        self._subscribed: dict[str, tuple[bytes, Subscribe]] = {}  # by helper
        self._unspoken = set(configuration.speakers)  # helpers that the first routes wait for
        self._announcing = set(configuration.announcers)  # helpers that End-of-RIB waits for
        self._began = loop.now()
        self._away: dict[str, float] = {}  # since when a session is known to have had no connection
        self._full = False
        self._looking = False

    # Connections

    def incoming(self, sock: socket.socket) -> None:
        """Take a connection that the listener accepted, for the session of its address."""
        try:
            local, peer = sock.getsockname()[0], sock.getpeername()[0]
        except OSError:
            sock.close()
            return  # gone already
        address = str(ip_address(peer.partition("%")[0]))
        name = session_name(self.configuration.name, address)
        session = self.sessions.get(name)
        if session is None:
            if (subcode := self._refusal(address, local)) is not None:
                self._refusals.refuse(sock, Notification.cease(subcode))
                return
            session = self._add(name, address)
        self._local[name] = local
        self._away.pop(name, None)
        session.incoming(sock)

    def _ceded(self, address: str, local: str) -> bool:
        """Whether an address is another neighbor's."""
        return self._owners.other_than(self.configuration.name, address, local)

    def _still_ceded(self, address: str, local: str) -> bool:
        """Tell the same of one that connects: the listener may know already that the range has it again."""
        if self._ceded(address, local):
            with suppress(OSError, SchemaError):
                self._owners.read()
        return self._ceded(address, local)

    def _refusal(self, address: str, local: str) -> int | None:
        """Return the Cease subcode for an address that cannot have a session now (RFC 4486); None where it can."""
        if self.configuration.shut is not None or self._still_ceded(address, local):
            return CONNECTION_REJECTED
        if len(self.sessions) < MOST or self._make_room():
            self._full = False
            return None
        if not self._full:
            self._log.warning(
                "connections refused, the range has %d sessions: neighbor=%s peer=%s",
                len(self.sessions),
                self.configuration.name,
                address,
            )
        self._full = True
        return OUT_OF_RESOURCES

    def _make_room(self) -> bool:
        """Forget the session that has been away for longest, if any is."""
        self._note_away()
        longest = min(self._away, key=self._away.__getitem__, default=None)
        if longest is not None:
            self._forget(longest)
        return longest is not None

    def _add(self, name: str, address: str) -> Session:
        """Make the session of an address, and tell it what the range was told."""
        configuration = self.configuration
        wait = max(0.0, self._began + configuration.end_of_rib_wait - self._loop.now())
        session = self._make(
            replace(
                configuration,
                name=name,
                peer_address=address,
                speakers=sorted(self._unspoken),
                announcers=sorted(self._announcing),
                end_of_rib_wait=wait,
            )
        )
        self.sessions[name] = session
        session.start()
        for identity, request in self._subscribed.values():
            session.subscribe(identity, replace(request, neighbor=name))
        if not self._looking:
            self._look_later()
        return session

    # Who is away

    def _look_later(self) -> None:
        self._looking = bool(self.sessions)
        if self._looking:
            self._loop.call_later(LOOK, self._look)

    def _look(self) -> None:
        """Forget who has been away for too long."""
        self._note_away()
        limit = self._loop.now() - FORGET
        for name in [name for name, since in self._away.items() if since <= limit]:
            self._forget(name)
        self._look_later()

    def _note_away(self) -> None:
        now = self._loop.now()
        self._away = {name: self._away.get(name, now) for name, session in self.sessions.items() if session.closed}

    def _forget(self, name: str) -> None:
        self._remove(name).stop("away")
        self._log.info("session forgotten peer=%s", name)

    def _remove(self, name: str) -> Session:
        self._away.pop(name, None)
        self._local.pop(name, None)
        return self.sessions.pop(name)

    # What holds for all of them

    def update(self, configuration: SessionConfiguration) -> None:
        """Take settings that differ only in who listens and announces; give up addresses that are others' now."""
        self.configuration = replace(configuration, shut=self.configuration.shut)
        self._leaving = [session for session in self._leaving if not session.closed]
        for name in [name for name, local in self._local.items() if self._ceded(address_of(name), local)]:
            self._log.info("address is another neighbor's now peer=%s", name)
            session = self._remove(name)
            session.stop("the address is another neighbor's", PEER_DECONFIGURED)
            self._leaving.append(session)

    def shut(self, communication: str | None) -> None:
        """End all sessions and refuse new ones, or let them be again."""
        self.configuration = replace(self.configuration, shut=communication)
        for session in self.sessions.values():
            session.shut(communication)

    def stop(
        self, reason: str = "shutting down", subcode: int = ADMINISTRATIVE_SHUTDOWN, returns: bool = False
    ) -> None:
        """End all sessions and want none; `returns` says that the range's next ones follow."""
        for session in self.sessions.values():
            session.stop(reason, subcode, returns)

    @property
    def closed(self) -> bool:
        """Whether no connection is left."""
        return all(session.closed for session in (*self.sessions.values(), *self._leaving))

    def connected_to_ribd(self) -> None:
        """Ask (again) for routes; there are no other sessions of this range than those that do."""
        for session in self.sessions.values():
            session.connected_to_ribd()
        self._to_ribd(Pull(self.configuration.name, 0, "", [], [], 0))

    def subscribe(self, identity: bytes, request: Subscribe) -> None:
        """Begin a bridge's feeds, of sessions that come later, too. No kinds: end them."""
        if request.kinds:
            self._subscribed[request.helper] = (identity, request)
        else:
            self._subscribed.pop(request.helper, None)
        for name, session in self.sessions.items():
            session.subscribe(identity, replace(request, neighbor=name))

    def spoken(self, identity: bytes, helper: str) -> None:
        """Take word that a helper has had its first moment."""
        self._unspoken.discard(helper)
        for session in self.sessions.values():
            session.spoken(identity, helper)

    def settled(self, helper: str) -> None:
        """Take word that a helper has announced what it had to announce at its start."""
        self._announcing.discard(helper)
        for session in self.sessions.values():
            session.settled(helper)

    @property
    def status(self) -> dict[str, Any]:
        """What `show neighbor` needs of the range itself, and the names of its sessions."""
        return {
            "state": "down",
            "fsm": "IDLE",
            "since": 0.0,
            "context": b"",
            "sent": {},
            "received": {},
            "prefixes": [],
            "last_error": "",
            "last_error_at": 0.0,
            "sessions": sorted(self.sessions, key=lambda name: ip_address(address_of(name))),
        }
