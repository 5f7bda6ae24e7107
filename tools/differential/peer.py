"""The far end of every session: mirrors the OPEN, keeps what it is sent, says what a case wants said."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence

from msgspec import Struct, field

from bgp.message import MessageType, build

HEADER = 19
AS_TRANS = 23456
FOUR_OCTET_AS = 65
CAPABILITIES = 2


class Say(Struct, frozen=True):
    """What the peer does `after` seconds since all were told to `begin`: send octets, or close where there are none."""

    after: float
    octets: bytes


class Connection(Struct):
    """What came over one connection, KEEPALIVEs left out."""

    messages: list[bytes] = field(default_factory=list)
    closed: bool = False


class Peers:
    """Listens on all of 127/8; which address was dialled says which case it is."""

    def __init__(self, port: int, plans: dict[str, tuple[int | None, bytes, Sequence[Say]]]) -> None:
        """Take for each address: the AS to answer with (None: the speaker's own), capabilities to add, what to say."""
        self._plans = plans
        self.seen: dict[str, list[Connection]] = {address: [] for address in plans}
        self.changed = time.monotonic()
        self._ended = False
        self._sockets: dict[str, socket.socket] = {}  # the newest of each case
        self._speaking: list[threading.Thread] = []
        self._server = socket.create_server(("0.0.0.0", port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def up(self) -> bool:
        """Whether every case has had a session."""
        return all(self.seen.values())

    def begin(self) -> None:
        """Have every case say what it has to say, on the session that it has now."""
        for address, (_, _, says) in self._plans.items():
            if says:
                thread = threading.Thread(target=self._say_all, args=(self._sockets[address], says), daemon=True)
                self._speaking.append(thread)
                thread.start()

    def wait_until_said(self) -> None:
        """Wait until all of that was said."""
        for thread in self._speaking:
            thread.join()

    def close(self) -> None:
        """End everything."""
        self._ended = True
        for sock in (self._server, *self._sockets.values()):
            sock.close()

    def _accept(self) -> None:
        while not self._ended:
            try:
                sock, _ = self._server.accept()
            except OSError:
                return
            address = sock.getsockname()[0]
            if address not in self._plans:
                sock.close()
                continue
            self._sockets[address] = sock
            connection = Connection()
            self.seen[address].append(connection)
            threading.Thread(target=self._serve, args=(sock, address, connection), daemon=True).start()

    def _serve(self, sock: socket.socket, address: str, connection: Connection) -> None:
        own_as, extra, _ = self._plans[address]
        buffer = b""
        try:
            while data := sock.recv(65536):
                buffer += data
                while len(buffer) >= HEADER and len(buffer) >= (size := int.from_bytes(buffer[16:18], "big")):
                    message, buffer = buffer[:size], buffer[size:]
                    if message[18] == MessageType.KEEPALIVE:
                        sock.sendall(message)
                        continue
                    self.changed = time.monotonic()
                    connection.messages.append(message)
                    if message[18] == MessageType.OPEN:
                        sock.sendall(answer(message, own_as, extra) + build(MessageType.KEEPALIVE, b""))
        except OSError:
            pass
        connection.closed = True
        self.changed = time.monotonic()
        sock.close()

    def _say_all(self, sock: socket.socket, says: Sequence[Say]) -> None:
        """Say everything in its order, however late it has become."""
        began = time.monotonic()
        for say in says:
            time.sleep(max(0.0, began + say.after - time.monotonic()))
            self._say(sock, say.octets)

    def _say(self, sock: socket.socket, octets: bytes) -> None:
        try:
            if octets:
                sock.sendall(octets)
            else:
                sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def capabilities(body: bytes) -> list[tuple[int, bytes]]:
    """Return the capabilities of an OPEN's body."""
    found, parameters = [], body[10:]
    while parameters:
        kind, length = parameters[0], parameters[1]
        value, parameters = parameters[2 : 2 + length], parameters[2 + length :]
        while kind == CAPABILITIES and value:
            found.append((value[0], value[2 : 2 + value[1]]))
            value = value[2 + value[1] :]
    return found


def answer(message: bytes, own_as: int | None, extra: bytes) -> bytes:
    """Return the OPEN of a peer with the same capabilities, another identifier, and maybe another AS."""
    body = bytearray(message[HEADER:])
    body[8] = (body[8] + 1) % 256 or 1
    said = []
    for code, value in capabilities(bytes(body)):
        changed = own_as.to_bytes(4, "big") if code == FOUR_OCTET_AS and own_as is not None else value
        said.append(bytes([code, len(changed)]) + changed)
    if own_as is not None:
        body[1:3] = (own_as if own_as < 65536 else AS_TRANS).to_bytes(2, "big")
    if extra:
        said.append(extra)
    parameters = b"".join(bytes([CAPABILITIES, len(each)]) + each for each in said)
    return build(MessageType.OPEN, bytes(body[:9]) + bytes([len(parameters)]) + parameters)
