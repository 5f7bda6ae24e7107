"""What damage starts from: the golden files, and the captures and vectors beside the project where they are."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from bgp.attribute import ATTRIBUTES
from bgp.attribute.walk import MP_REACH_NLRI, MP_UNREACH_NLRI, walk
from bgp.family import FAMILIES, Family
from bgp.message import HEADER_LENGTH, MessageType, build
from bgp.wire import Truncated
from tools.fuzz import capture

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
SHARED = ROOT.parent / "shared"
STREAM_OCTETS = 400_000  # of the full table: its messages are much alike

_TLV_ATTRIBUTES = {"prefix_sid": 40, "tunnel": 23, "link_state": 29}
_BODIES = {
    "open": MessageType.OPEN,
    "notification": MessageType.NOTIFICATION,
    "refresh": MessageType.ROUTE_REFRESH,
    "operational": MessageType.OPERATIONAL,
    "events": MessageType.UPDATE,
}


class Corpus:
    """Seeds by what they are. Duplicates are dropped, order is that of the files: a run can be repeated."""

    def __init__(self) -> None:
        messages = [*_golden_messages(), *_shared_messages()]
        self.messages = list(dict.fromkeys(messages))
        self.updates = [message[HEADER_LENGTH:] for message in self.messages if message[18:19] == b"\x02"]
        self.opens = [message[HEADER_LENGTH:] for message in self.messages if message[18:19] == b"\x01"]
        self.attributes: dict[int, list[bytes]] = defaultdict(list)
        self.nlri: dict[Family, list[bytes]] = defaultdict(list)
        self.capabilities = [(row["code"], bytes.fromhex(row["hex"])) for row in rows("capability")]
        self.sets: list[bytes] = []
        self._golden_attributes()
        for path in sorted(GOLDEN.glob("nlri*.jsonl")):
            for row in rows(path.stem):
                self.nlri[_family(row["family"])].append(bytes.fromhex(row["hex"]))
        for body in self.updates:
            self._take_apart(body)
        self.commands = _commands()
        self.configurations = [path.read_text() for path in _configurations()]
        words = {word for line in (*self.commands, *self.configurations) for word in line.split()}
        self.words = sorted(words)

    def _golden_attributes(self) -> None:
        codes = {row.attribute.__name__: code for code, row in ATTRIBUTES.items()}
        for row in rows("attributes"):
            if row.get("class") in codes:
                self.attributes[codes[row["class"]]].append(bytes.fromhex(row["hex"]))
        for name, code in _TLV_ATTRIBUTES.items():
            self.attributes[code] += [bytes.fromhex(row["hex"]) for row in rows(name)]
        self.sets += [bytes.fromhex(entry["attributes"]) for row in rows("commands") for entry in row["entries"]]

    def _take_apart(self, body: bytes) -> None:
        """Keep the attributes of an UPDATE, as far as they can be cut, and its multiprotocol routes."""
        withdrawn = int.from_bytes(body[:2], "big")
        octets = body[4 + withdrawn :][: int.from_bytes(body[2 + withdrawn : 4 + withdrawn], "big")]
        try:
            for _, code, _, start, stop in walk(octets):
                value = octets[start:stop]
                if len(self.attributes[code]) < 300:
                    self.attributes[code].append(value)
                family = Family(int.from_bytes(value[:2], "big"), value[2] if len(value) > 2 else 0)
                if code == MP_REACH_NLRI and len(value) > 4:
                    self.nlri[family].append(value[5 + value[3] :])
                elif code == MP_UNREACH_NLRI:
                    self.nlri[family].append(value[3:])
        except Truncated:
            pass
        if len(self.sets) < 2000:
            self.sets.append(octets)


def _family(name: str) -> Family:
    """Read a family by name, or `AFI/SAFI` where it has none."""
    return FAMILIES[name] if name in FAMILIES else Family(*map(int, name.split("/")))


def rows(name: str) -> list[dict[str, Any]]:
    """Read one golden file; none where it is missing."""
    path = GOLDEN / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _golden_messages() -> Iterator[bytes]:
    for name, kind in _BODIES.items():
        yield from (build(kind, bytes.fromhex(row["hex"])) for row in rows(name))
    yield from (build(MessageType.UPDATE, bytes.fromhex(row["body"])) for row in rows("rfc7606"))
    yield from (bytes.fromhex(row["octets"]) for row in rows("rfc4271"))


def _shared_messages() -> Iterator[bytes]:
    vectors = SHARED / "vectors" / "vectors.jsonl"
    if vectors.exists():
        yield from (bytes.fromhex(json.loads(line)["hex"]) for line in vectors.read_text().splitlines())
    for path in sorted((SHARED / "mrt" / "pcap").glob("*.pcap*")):
        yield from capture.messages(path)
    table = SHARED / "mrt" / "pch-2015-10-23-fulltable.bgp.gz"
    if table.exists():
        with gzip.open(table) as file:
            yield from capture.cut(file.read(STREAM_OCTETS))


def _commands() -> list[str]:
    lines = [row["line"] for row in rows("commands")]
    lines += [
        "show neighbor summary json",
        "show adj-rib out extensive",
        "neighbor 127.0.0.2 local-ip 127.0.0.1 , neighbor * announce eor ipv4 unicast",
        "announce route-refresh ipv4 unicast",
        "announce operational rpcp afi ipv4 safi unicast sequence 5 counter 7",
        'announce operational asm afi ipv4 safi unicast advisory "a word"',
        "teardown 4",
        "peer * group announce route 10.0.0.0/8 next-hop self ; withdraw route 10.0.0.0/8",
        "announce route 10.0.0.0/8 next-hop self split /14",
    ]
    feed = SHARED / "mrt" / "as4777-2010-07-01-announce.txt.gz"
    if feed.exists():
        with gzip.open(feed, "rt") as file:
            lines += [line.strip() for line in islice(file, 300)]
    return lines


def _configurations() -> list[Path]:
    found = sorted((GOLDEN / "config").glob("*.conf"))
    return (
        found + sorted((SHARED / "conformance" / "conf").glob("*.conf")) + sorted((ROOT / "examples").rglob("*.conf"))
    )
