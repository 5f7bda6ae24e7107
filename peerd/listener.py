"""The listener: accepts TCP connections and hands each to the peerd that owns the neighbor (SCM_RIGHTS).

It never heeds what a connection says. A peer that no neighbor expects is told NOTIFICATION Cease/Connection Rejected.
"""

from __future__ import annotations

import logging
import signal
import socket
from array import array
from pathlib import Path

from msgspec import Struct

from bgp.notification import CONNECTION_REJECTED, Notification
from bus.daemon import (
    EXIT_CONFIGURATION,
    AlreadyRunning,
    RunDirectory,
    arguments,
    die_with_parent,
    parent_of_ours,
    start_logging,
    take_lock,
)
from bus.loop import Loop, Timer
from bus.schema import Incoming, SchemaError, pack
from bus.settings import PassiveNeighbor, read_listener
from peerd.connection import Refusals
from peerd.expected import Expected
from peerd.tcp import TransportOptions, limit_ttl, listen, prepare, sign_with_md5

ACCEPTED_PER_TURN = 32
LARGEST_TTL, SYSTEM_TTL = 255, -1
PEERD_SECONDS = 10.0  # for which a connection waits for its peerd to start
RETRY_HANDOVER = 0.05  # seconds
WAITING_LIMIT = 256  # connections that may wait; more are not accepted meanwhile
RETRY = 1.0  # seconds until an address that could not be had is tried again


class Waiting(Struct, frozen=True):
    """An accepted connection whose peerd has not taken it yet."""

    connection: socket.socket
    neighbor: PassiveNeighbor
    peer: str
    local: str
    until: float  # then it is given up


class Listener:
    """The listening sockets and the neighbors that are expected on them."""

    def __init__(self, loop: Loop, run: RunDirectory, log: logging.Logger) -> None:
        self._loop, self._run, self._log = loop, run, log
        self._sockets: dict[tuple[str, int], socket.socket] = {}
        self._neighbors: list[PassiveNeighbor] = []
        self._expected = Expected([])
        self._unprotected: set[str] = set()  # neighbors with a password that the kernel does not know
        self._waiting = 0
        self._refusals = Refusals(loop)
        self._retry: Timer | None = None  # of addresses that could not be had
        self._handover = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)

    def configure(self) -> None:
        """Read the settings and open, close and protect sockets accordingly. OSError, SchemaError or ValueError."""
        endpoints, neighbors = read_listener(self._run.settings / "listener")
        for gone in self._sockets.keys() - set(endpoints):
            self._loop.unwatch(self._sockets[gone].fileno())
            self._sockets.pop(gone).close()
        signed = {neighbor.peer_address for neighbor in neighbors if neighbor.md5_password}
        removed = [old for old in self._neighbors if old.md5_password and old.peer_address not in signed]
        self._neighbors = neighbors
        self._expected = Expected(neighbors)
        self._unprotected = set()
        for sock in self._sockets.values():
            self._protect(sock, removed)
        opened = [self._open(endpoint) for endpoint in endpoints]
        if self._retry is not None:
            self._retry.cancel()
        self._retry = None if all(opened) else self._loop.call_later(RETRY, self.reconfigure)

    def reconfigure(self) -> None:
        """Read the settings again; go on with the old ones where they cannot be read."""
        try:
            self.configure()
        except (OSError, SchemaError, ValueError) as error:
            self._log.error("settings cannot be read, the old ones stay: %s", error)

    def _open(self, endpoint: tuple[str, int]) -> bool:
        """Listen on an address, if that can be had."""
        if endpoint in self._sockets:
            return True
        try:
            sock = listen(*endpoint, lambda sock: self._protect(sock, []))
        except OSError as error:
            self._log.error("%s, trying again", error)
            return False
        self._sockets[endpoint] = sock
        self._watch(sock)
        self._log.info("listening address=%s port=%d", *endpoint)
        return True

    def _watch(self, sock: socket.socket) -> None:
        self._loop.watch(sock.fileno(), lambda _events: self._accept(sock), read=self._waiting < WAITING_LIMIT)

    def _watch_again(self, sock: socket.socket) -> None:
        if sock in self._sockets.values():
            self._watch(sock)

    def _protect(self, sock: socket.socket, removed: list[PassiveNeighbor]) -> None:
        """Set MD5 keys and TTL before anyone connects: the kernel checks the first SYN, the peer our SYN-ACK.

        The keys of neighbors that were `removed` are taken away; a key that is replaced never is in between.
        Take note of the neighbors whose connections the kernel will not check.
        """
        v6 = sock.family == socket.AF_INET6
        limit_ttl(sock, TransportOptions(outgoing_ttl=LARGEST_TTL))
        for neighbor, password in (
            *((old, b"") for old in removed),
            *((each, each.md5_password) for each in self._neighbors if each.md5_password),
        ):
            if (":" in neighbor.peer_address) == v6:
                try:
                    sign_with_md5(sock, neighbor.peer_address, password)
                except OSError as error:
                    self._log.error("no MD5 protection, so no connection neighbor=%s: %s", neighbor.name, error)
                    self._unprotected.add(neighbor.name)

    def _accept(self, sock: socket.socket) -> None:
        for _ in range(ACCEPTED_PER_TURN):
            try:
                connection, address = sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                # Mostly for want of descriptors: the connection stays in the kernel's queue, and the socket readable.
                self._log.warning("accept failed, trying again in %g s: %s", RETRY, error)
                self._loop.watch(sock.fileno(), lambda _events: None, read=False)
                self._loop.call_later(RETRY, lambda: self._watch_again(sock))
                return
            self._place(connection, address[0], self._loop.now() + PEERD_SECONDS)

    def _place(self, connection: socket.socket, peer: str, until: float) -> None:
        """Give a connection to its neighbor's peerd, or refuse it."""
        try:
            local = connection.getsockname()[0]
            prepare(connection)
        except OSError:
            connection.close()
            return  # gone already
        neighbor = self._expected.find(peer, local)
        if neighbor is None:
            self._log.warning("connection refused, no such neighbor: peer=%s local=%s", peer, local)
            self._refusals.refuse(connection, Notification.cease(CONNECTION_REJECTED))
            return
        if neighbor.name in self._unprotected:
            self._log.warning("connection refused, it cannot be protected by MD5: neighbor=%s", neighbor.name)
            self._refusals.refuse(connection, Notification.cease(CONNECTION_REJECTED))
            return
        try:
            if neighbor.outgoing_ttl is None and neighbor.incoming_ttl is None:
                limit_ttl(connection, TransportOptions(outgoing_ttl=SYSTEM_TTL))
            limit_ttl(connection, TransportOptions(b"", neighbor.outgoing_ttl, neighbor.incoming_ttl))
        except OSError as error:
            self._log.warning("no TTL protection neighbor=%s: %s", neighbor.name, error)
            connection.close()
            return
        self._hand_over(Waiting(connection, neighbor, peer, local, until))

    def _hand_over(self, waiting: Waiting) -> None:
        """Pass a connection on; a peerd that is starting gets a moment, since some peers are slow to dial again."""
        message = pack(Incoming(waiting.neighbor.name, waiting.peer, waiting.local))
        path = str(self._run.handover(waiting.neighbor.program))
        descriptor = array("i", [waiting.connection.fileno()])
        try:
            # Not socket.send_fds: it ignores the address.
            self._handover.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptor)], 0, path)
        except OSError as error:
            if self._loop.now() < waiting.until:
                self._count_waiting(1)
                self._loop.call_later(RETRY_HANDOVER, lambda: self._try_again(waiting))
                return
            self._log.warning(
                "connection dropped, its peerd does not take it: neighbor=%s %s", waiting.neighbor.name, error
            )
        waiting.connection.close()

    def _try_again(self, waiting: Waiting) -> None:
        """Look for its neighbor anew: that may be gone, and the address another one's."""
        self._count_waiting(-1)
        self._place(waiting.connection, waiting.peer, waiting.until)

    def _count_waiting(self, more: int) -> None:
        """Leave connections to the kernel while too many wait here."""
        was_full = self._waiting >= WAITING_LIMIT
        self._waiting += more
        if was_full != (self._waiting >= WAITING_LIMIT):
            for sock in self._sockets.values():
                self._watch(sock)


def main() -> None:
    """Accept TCP connections until a signal ends it."""
    (run_directory,) = arguments("python -m peerd.listener RUN_DIRECTORY")
    run = RunDirectory(Path(run_directory))
    die_with_parent(parent_of_ours(run))
    log = start_logging("listener")
    loop = Loop()
    listener = Listener(loop, run, log)
    try:
        take_lock(run.lock("listener"))
        listener.configure()
    except (AlreadyRunning, SchemaError, ValueError, OSError) as error:
        log.error("%s", error)
        raise SystemExit(EXIT_CONFIGURATION) from error
    loop.on_signal(signal.SIGTERM, loop.stop)
    loop.on_signal(signal.SIGINT, loop.stop)
    loop.on_signal(signal.SIGHUP, listener.reconfigure)
    loop.run()
    loop.close()


if __name__ == "__main__":
    main()
