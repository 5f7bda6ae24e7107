"""The TCP connections of one neighbor: dialled, adopted from the listener, found by their handle, closed.

Up to two of a neighbor's connections matter to its state machine; others are only told why they are refused.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from ipaddress import ip_address

from bgp import event as ev
from bus.loop import Loop
from bus.settings import SessionConfiguration
from peerd.connection import Connection
from peerd.tcp import TransportOptions, dial, outcome


class Connections:
    """The sockets behind the handles of a state machine, which gets what happens to them as events."""

    def __init__(
        self,
        loop: Loop,
        configuration: SessionConfiguration,
        on_event: Callable[[ev.PeerEvent], None],
        on_progress: Callable[[], None],
    ) -> None:
        self._loop, self._configuration = loop, configuration
        self._on_event, self._on_progress = on_event, on_progress
        self._options = TransportOptions(
            configuration.md5_password, configuration.outgoing_ttl, configuration.incoming_ttl, configuration.interface
        )
        self._dialling: dict[int, socket.socket] = {}
        self._open: dict[int, Connection] = {}
        self._incoming: socket.socket | None = None

    def find(self, handle: int) -> Connection | None:
        """Return a connection that is open, or closing."""
        return self._open.get(handle)

    @property
    def none_left(self) -> bool:
        """Whether every socket is closed."""
        return not self._dialling and all(each.closed for each in self._open.values())

    def dial(self, handle: int) -> None:
        """Connect to the neighbor; `Connected` or `ConnectFailed` follows."""
        configuration = self._configuration
        try:
            sock = dial(
                configuration.peer_address, configuration.port, configuration.local_address or None, self._options
            )
        except OSError as error:
            # Later: the state machine may be in the middle of the actions that made us dial.
            failed = ev.ConnectFailed(handle, str(error))
            self._loop.call_soon(lambda: self._on_event(failed))
            return
        self._dialling[handle] = sock
        self._loop.watch(sock.fileno(), lambda _events: self._dialled(handle), read=False, write=True)

    def _dialled(self, handle: int) -> None:
        sock = self._dialling.pop(handle)
        self._loop.unwatch(sock.fileno())
        error = outcome(sock)
        try:
            if error:
                raise OSError(error, os.strerror(error))
            local, peer = addresses(sock)
        except OSError as lost:
            sock.close()
            self._on_event(ev.ConnectFailed(handle, lost.strerror or str(lost)))
            return
        self._add(handle, sock)
        self._on_event(ev.Connected(handle, local, peer))

    def incoming(self, sock: socket.socket) -> None:
        """Offer the state machine a connection that the listener accepted; it is closed unless adopted."""
        try:
            local, peer = addresses(sock)
        except OSError:
            sock.close()
            return
        self._incoming = sock
        self._on_event(ev.Incoming(local, peer))
        if self._incoming is not None:
            self._incoming.close()
            self._incoming = None

    def adopt(self, handle: int) -> None:
        """Give the offered connection its handle."""
        sock, self._incoming = self._incoming, None
        if sock is not None:
            self._add(handle, sock)

    def _add(self, handle: int, sock: socket.socket) -> None:
        self._open = {key: each for key, each in self._open.items() if not each.closed}
        self._open[handle] = Connection(
            self._loop,
            sock,
            lambda octets: self._on_event(ev.Received(handle, octets)),
            lambda sent: self._progress(handle, sent),
            lambda: self._gone(handle),
        )

    def _progress(self, handle: int, sent: int) -> None:
        """The socket took so many octets: tell the send hold timer, and whoever has more to write."""
        connection = self._open.get(handle)
        if connection is None:
            return
        pending = connection.queued > 0
        self._on_event(ev.SendProgress(handle, pending) if sent or not pending else ev.SendBlocked(handle))
        self._on_progress()

    def _gone(self, handle: int) -> None:
        self._open.pop(handle, None)
        self._on_event(ev.Closed(handle))

    def close(self, handle: int, abort: bool) -> None:
        """Close a connection after its last words, or at once; or give up dialling it."""
        sock = self._dialling.pop(handle, None)
        if sock is not None:
            self._loop.unwatch(sock.fileno())
            sock.close()
        connection = self._open.get(handle)
        if connection is not None:
            connection.abort() if abort else connection.close()


def addresses(sock: socket.socket) -> tuple[bytes, bytes]:
    """Return the packed local and peer address of a connected socket."""
    return (
        ip_address(sock.getsockname()[0].partition("%")[0]).packed,
        ip_address(sock.getpeername()[0].partition("%")[0]).packed,
    )
