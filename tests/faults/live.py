"""A peer that lives on by itself: KEEPALIVEs in time, everything read, a feed written at message boundaries."""

from __future__ import annotations

import select
import threading
import time
from collections import deque
from collections.abc import Sequence

from tests.faults.wire import KEEPALIVE, NOTIFICATION, OPEN, UPDATE, dial_established, message, open_message

KEEPALIVE_SECONDS = 0.7
WRITE_OCTETS = 65536


class LivePeer(threading.Thread):
    """One session that is kept up, and what came over it."""

    def __init__(self, source: str, target: tuple[str, int], hold_time: int = 3, asn: int = 65001) -> None:
        super().__init__(daemon=True)
        self._peer = dial_established(source, target, open_message(asn, hold_time))
        self._hold_time = hold_time
        self._ended = threading.Event()
        self._feed: deque[bytes] = deque()
        self.held: set[bytes] = set()
        self.updates = self.octets = 0
        self.keepalives = 0
        self.longest_silence = 0.0  # seconds between two reads of anything
        self.fed_at = 0.0  # when the feed was written to its end
        self.ended = ""  # why the session ended, if it did
        self.start()

    def feed(self, messages: Sequence[bytes]) -> None:
        """Write whole messages as fast as the speaker reads them."""
        self.fed_at = 0.0
        self._feed.extend(messages)

    def stop(self) -> None:
        """Close the connection."""
        self._ended.set()
        self.join()
        self._peer.close()

    def run(self) -> None:
        """Serve until `stop` or the end of the session."""
        sock, out = self._peer.sock, b""
        sock.setblocking(False)
        rest = b""
        heard = time.monotonic()
        keepalive_at = heard
        for kind, body in self._peer.messages:
            self._take(kind, body)
        while not self._ended.is_set():
            now = time.monotonic()
            if now >= keepalive_at:
                out += message(KEEPALIVE)
                keepalive_at = now + KEEPALIVE_SECONDS
            while self._feed and len(out) < WRITE_OCTETS:
                out += self._feed.popleft()
            readable, writable, _ = select.select([sock], [sock] if out else [], [], 0.1)
            try:
                if writable:
                    out = out[sock.send(out) :]
                    if not out and not self._feed and not self.fed_at:
                        self.fed_at = time.monotonic()
                if readable:
                    octets = sock.recv(1 << 20)
                    now = time.monotonic()
                    self.longest_silence = max(self.longest_silence, now - heard)
                    self.octets += len(octets)
                    if not octets:
                        self.ended = self.ended or "closed"
                        return
                    rest = self._cut(rest + octets)
                    heard = time.monotonic()  # what we needed for ourselves is nobody's silence
            except OSError as error:
                self.ended = self.ended or str(error)
                return
            if self._hold_time and time.monotonic() - heard > self._hold_time:
                self.ended = "hold timer expired here"
                return

    def _cut(self, octets: bytes) -> bytes:
        start = 0
        while len(octets) - start >= 19:
            length = int.from_bytes(octets[start + 16 : start + 18], "big")
            if len(octets) - start < length:
                break
            self._take(octets[start + 18], octets[start + 19 : start + length])
            start += length
        return octets[start:]

    def _take(self, kind: int, body: bytes) -> None:
        if kind == UPDATE:
            self.updates += 1
            withdrawn = int.from_bytes(body[:2], "big")
            attributes = int.from_bytes(body[2 + withdrawn : 4 + withdrawn], "big")
            self.held.difference_update(_items(body[2 : 2 + withdrawn]))
            self.held.update(_items(body[4 + withdrawn + attributes :]))
        elif kind == KEEPALIVE:
            self.keepalives += 1
        elif kind == NOTIFICATION:
            self.ended = f"notification {body[0]}/{body[1]}"
        else:
            assert kind == OPEN


def _items(octets: bytes) -> list[bytes]:
    found, start, end = [], 0, len(octets)
    while start < end:
        after = start + 1 + (octets[start] + 7) // 8
        found.append(octets[start:after])
        start = after
    return found
