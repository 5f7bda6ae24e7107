"""The envelope of JSON events: what every event begins and ends with, made once for each neighbor."""

from __future__ import annotations

from msgspec import Struct

from apid.render.dialect import Dialect
from apid.render.values import quote


class NeighborContext(Struct, frozen=True):
    """What events say of the neighbor; addresses and identifier are text, `name` is the long one of `show`."""

    peer_address: str
    local_address: str
    local_as: int
    peer_as: int
    router_id: str
    name: str = ""


class ProcessContext(Struct, frozen=True):
    """What events say of the daemon."""

    host: str
    pid: int
    ppid: int


class Envelope:
    """Wrap bodies into lines. Times are in seconds since the epoch; a line is UTF-8 and ends with a newline."""

    __slots__ = ("_counter", "_neighbor", "_process", "_start")

    def __init__(self, neighbor: NeighborContext, process: ProcessContext, dialect: Dialect) -> None:
        self._start = f'{{ "exabgp": "{dialect.version}", "time": '
        self._process = f', "host" : {quote(process.host)}, "pid" : {process.pid}, "ppid" : {process.ppid}'
        self._counter = f'{self._process}, "counter": '
        addresses = f'"local": {quote(neighbor.local_address)}, "peer": {quote(neighbor.peer_address)}'
        numbers = f'"local": {neighbor.local_as}, "peer": {neighbor.peer_as}'
        router_id = f', "router-id": {quote(neighbor.router_id)}' if dialect.router_id else ""
        self._neighbor = f', "neighbor": {{ "address": {{ {addresses} }}, "asn": {{ {numbers} }}{router_id} '

    def event(self, kind: str, when: float, counter: int, body: str, octets: str = "") -> bytes:
        """Render an event; `body` begins with a comma, `octets` are the members that a consolidated one adds."""
        return (
            f'{self._start}{when}{self._counter}{counter}, "type": "{kind}"{octets}{self._neighbor}{body} }} }}\n'
        ).encode()

    def notice(self, when: float, text: str, members: str = "") -> bytes:
        """Render a notice of the daemon itself: no neighbor, no counter."""
        return (
            f'{self._start}{when}{self._process}, "type": "notification", "notification": "{text}"{members} }}\n'
        ).encode()
