"""Wireshark's dissector reads every message that we can send without a complaint: somebody else's eyes on our octets.

Left out are OPERATIONAL, whose type is a draft's, so that Wireshark knows another message under that number, messages
of more than 4096 octets (RFC 8654), of which Wireshark 4.0 takes none, and raw attributes that are meant to be wrong.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from apid.grammar.command import RouteChange, parse_command
from bgp.capability import CAPABILITIES
from bgp.family import AFI, FAMILIES, Family
from bgp.message import KEEPALIVE, MessageType, split_messages
from bgp.negotiated import EXTENDED_MESSAGE_SIZE
from bgp.notification import ADMINISTRATIVE_RESET, ADMINISTRATIVE_SHUTDOWN, SUBCODE_NAMES, Notification
from bgp.open import Open
from bgp.pack import Packer, end_of_rib
from bgp.refresh import SUBTYPE_NAMES, Refresh
from bgp.settings import DEFAULT_FAMILIES, SessionSettings
from bgp.shape import Shape

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reference" / "routes.md"
EVERY_FAMILY = tuple(FAMILIES.values())
LINK_RAW = 101
LOCAL = bytes((192, 0, 2, 1))

SHAPES = {
    "ebgp": Shape(ibgp=False, local_address=LOCAL, families=EVERY_FAMILY),
    "ibgp": Shape(ibgp=True, local_address=LOCAL, families=EVERY_FAMILY, aigp=True),
    "ebgp-2-octet-as": Shape(ibgp=False, local_as=70000, local_address=LOCAL, asn4=False, families=EVERY_FAMILY),
    "ibgp-one-route-each": Shape(local_address=LOCAL, group_updates=False, families=EVERY_FAMILY),
    "ebgp-provider": Shape(ibgp=False, local_address=LOCAL, families=EVERY_FAMILY, role=0),
    "ibgp-extended": Shape(
        local_address=bytes(15) + b"\1",
        message_size=EXTENDED_MESSAGE_SIZE,
        families=EVERY_FAMILY,
        next_hop=tuple((family, AFI.IPV6) for family in EVERY_FAMILY if family.afi == AFI.IPV4),
    ),
}

# What Wireshark 4.0 says of sound messages: part of the message's name, part of the complaint, and why it is wrong.
EXPLAINED = (
    (" mup ", "Unknown SAFI (85)", "BGP-MUP has a SAFI since, by early allocation"),
    (" ipv6 mcast-vpn ", "Unknown Next Hop length (4 bytes)", "RFC 6514 section 4 lets IPv4 be the provider's network"),
    (" ipv4 flow", "of Next Hop (FlowSpec) is not zero", "draft-ietf-idr-flowspec-redirect-ip: the next hop is used"),
    ("command-202 ", "Malformed Packet", "RFC 8955 section 4.2.2.9: TCP flags may have two octets in a list"),
    ("command-219 ", "Malformed Packet", "RFC 8956 section 3.1: the pattern begins at the offset"),
    ("command-220 ", "Malformed Packet", "the same"),
    ("command-221 ", "Malformed Packet", "the same"),
    (" sr-policy ", "Unknown SAFI (73)", "RFC 9830: SAFI 73, which Wireshark knows in withdrawals alone"),
    (" ipv6 sr-policy ", "Trying to fetch an IPv6 address with length 4", "RFC 9830: an IPv6 endpoint has 16 octets"),
    ("attribute [ 0x63 ", "Unknown BGP-LS Attribute TLV", "attribute 99 is BGP-LS no longer"),
    ("open extended", "Capability length", "RFC 9072: parameters have lengths of two octets"),
    ("notification 8/0", "Unknown notification error (8)", "RFC 9687: send hold timer expired"),
)
WRONG_ON_PURPOSE = ("command-090",)

# A policy with a segment of each type that has one, and with the words around them.
POLICY = "announce ipv4 sr-policy distinguisher 1 color 2 endpoint 192.0.2.9 next-hop 192.0.2.1 {}"
PATHS = (
    "preference 5 segment-list weight 3 segment type-a mpls 16001",
    "segment-list segment type-b srv6 2001:db8:5::1",
    "segment-list segment type-c 192.0.2.1 algorithm 128 mpls 16001",
    "segment-list segment type-d 2001:db8::1 mpls 16001",
    "segment-list segment type-e 192.0.2.1 interface 5",
    "segment-list segment type-f 192.0.2.1 192.0.2.2 mpls 5",
    "segment-list segment type-g 2001:db8::1 interface 5 2001:db8::2 interface 6 mpls 16001",
    "segment-list segment type-h 2001:db8::1 2001:db8::2",
    "segment-list segment type-i 2001:db8::1 srv6 2001:db8:5::1 endpoint-behavior 0x30",
    "segment-list segment type-j 2001:db8::1 interface 5 2001:db8::2 interface 6 srv6 2001:db8:5::1",
    "segment-list segment type-k 2001:db8::1 2001:db8::2 algorithm 1",
    "srv6-binding-sid 2001:db8::5 endpoint-behavior 48 explicit-null both segment-list segment type-a mpls 16001",
)

Named = tuple[str, bytes]


def sent(name: str, command: RouteChange) -> Iterator[Named]:
    """Announce, and withdraw, as each kind of session is sent it."""
    for session, shape in SHAPES.items():
        packer = Packer(shape)
        for entry in command.entries:
            routes = {entry.attributes: list(entry.items)}
            messages = [] if not command.announce else packer.announce(entry.family, routes)
            messages += packer.withdraw(entry.family, routes)
            for message in split_messages(b"".join(messages)):
                yield f"{name} {entry.family} {session}", message


def updates() -> Iterator[Named]:
    """Every golden command, every segment routing policy, every example of the documents."""
    for line in (GOLDEN / "commands.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["id"] in WRONG_ON_PURPOSE:
            continue
        command = parse_command(row["line"])
        assert isinstance(command, RouteChange)
        yield from sent(row["id"], command)
    for path in PATHS:
        command = parse_command(POLICY.format(path))
        assert isinstance(command, RouteChange)
        yield from sent(path, command)
    for line in DOCUMENT.read_text().splitlines():
        example = parse_command(line) if line.startswith(("announce ", "withdraw ")) else None
        if isinstance(example, RouteChange):
            yield from sent(line, example)
    for family in EVERY_FAMILY:
        yield f"end-of-rib {family}", end_of_rib(family)


def many_routes() -> Iterator[Named]:
    """Messages that are full, with long attribute headers."""
    items = [bytes(4) + bytes((24, 10, number >> 8, number & 255)) for number in range(3_000)]
    communities = struct.pack("!BBH", 0xD0, 8, 800) + b"".join(struct.pack("!I", 65001 << 16 | n) for n in range(200))
    octets = bytes.fromhex("40010100400304c0000201") + communities
    packer = Packer(SHAPES["ibgp"])
    family = FAMILIES["ipv4 unicast"]
    for message in packer.announce(family, {octets: items}) + packer.withdraw(family, {b"": items}):
        yield "many routes", message


def opens() -> Iterator[Named]:
    """OPENs with every capability, alone and together, short and extended."""
    identifier = bytes((10, 0, 0, 1))
    everything = SessionSettings(
        identifier,
        70000,
        65001,
        families=tuple(FAMILIES[name] for name in ("ipv4 unicast", "ipv6 unicast", "ipv4 mpls-vpn")),
        route_refresh=True,
        graceful_restart=120,
        long_lived_time=3600,
        add_path=3,
        paths_limits=((FAMILIES["ipv4 unicast"], 10),),
        multi_session=True,
        operational=True,
        next_hops=((FAMILIES["ipv4 unicast"], AFI.IPV6),),
        link_local=True,
        software_version="bgpbus/1.0",
        host_name="router",
        domain_name="example.org",
        role=3,
    )
    message = everything.open()
    sent = {capability.code for capability in message.capabilities}
    assert sent == CAPABILITIES.keys() - {128}, "a capability that is never sent here, other than Cisco's old refresh"
    assert message.message()[28:30] != b"\xff\xff"
    yield "open everything", message.message()
    yield "open extended", replace(everything, families=DEFAULT_FAMILIES).open().message()
    yield "open nothing", Open(65001, 0, identifier).message()
    for capability in message.capabilities:
        yield f"open {capability.NAME}", Open(65001, 180, identifier, (capability,)).message()


def others() -> Iterator[Named]:
    """NOTIFICATIONs, ROUTE-REFRESHes, KEEPALIVE."""
    yield "keepalive", KEEPALIVE
    for code, subcode in SUBCODE_NAMES:
        yield f"notification {code}/{subcode}", Notification(code, subcode).message()
    for subcode, data in ((2, b"\0\4"), (6, b"\0\1")):
        yield f"notification 2/{subcode} data", Notification(2, subcode, data).message()
    for subcode in (4, 5, 9):
        yield f"notification 3/{subcode} data", Notification(3, subcode, bytes.fromhex("40fe0101")).message()
    for code in (4, 5, 8):
        yield f"notification {code}/0", Notification(code, 0).message()
    for subcode in (ADMINISTRATIVE_SHUTDOWN, ADMINISTRATIVE_RESET):
        for text in ("maintenance", "é" * 127, "x" * 300):
            yield f"cease {subcode} {text[:3]}", Notification.cease(subcode, text).message()
    yield "hard reset", Notification(6, 9, b"\x06\x02\x05later").message()
    for family in EVERY_FAMILY:
        for subtype, name in SUBTYPE_NAMES.items():
            yield f"refresh {family} {name}", Refresh(family, subtype).message()


def every_message() -> list[Named]:
    """Name each different message once."""
    found: dict[bytes, str] = {}
    for source in (updates(), many_routes(), opens(), others()):
        for name, message in source:
            found.setdefault(message, name)
    return [(name, message) for message, name in found.items()]


def capture(messages: list[Named]) -> bytes:
    """Write a capture in which each message is a connection of its own, from the address that is its number."""
    packets = [struct.pack("!IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, LINK_RAW)]
    for number, (_, message) in enumerate(messages):
        source = (0x0A000000 + number).to_bytes(4, "big")
        tcp = struct.pack("!HHIIBBHHH", 40000, 179, 1, 1, 0x50, 0x18, 65535, 0, 0)
        size = 20 + len(tcp) + len(message)
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size, 0, 0, 64, 6, 0, source, LOCAL)
        packets.append(struct.pack("!IIII", number, 0, size, size) + ip + tcp + message)
    return b"".join(packets)


def tshark() -> str:
    """Find the program; skip without it, but fail under CI, which must have it."""
    program = shutil.which("tshark")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("tshark is not installed")
        pytest.skip("tshark is not installed")
    return program


def dissect(path: Path) -> dict[int, tuple[str, str]]:
    """Return, by message number: its type, and what Wireshark complains about."""
    fields = ["ip.src", "bgp.type", "_ws.malformed", "_ws.expert.message"]
    command = [tshark(), "-n", "-r", str(path), "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    found: dict[int, tuple[str, str]] = {}
    for line in done.stdout.splitlines():
        source, kind, *complaints = line.split("\t")
        number = int.from_bytes(bytes(map(int, source.split("."))), "big") - 0x0A000000
        found[number] = kind, "; ".join(filter(None, complaints))
    return found


def explained(name: str, complaint: str) -> bool:
    """Tell whether a complaint is known to be Wireshark's own mistake."""
    return any(part in name and words in complaint for part, words, _ in EXPLAINED)


def test_wireshark_reads_every_message_that_we_send(tmp_path: Path) -> None:
    messages = every_message()
    kinds = {message[18] for _, message in messages}
    assert kinds == set(vars(MessageType).values()) & {1, 2, 3, 4, 5}
    path = tmp_path / "messages.pcap"
    path.write_bytes(capture(messages))
    found = dissect(path)
    wrong = []
    for number, (name, message) in enumerate(messages):
        kind, complaint = found.get(number, ("nothing", ""))
        if kind != str(message[18]):
            wrong.append(f"{name}: type {message[18]} is read as {kind}: {message.hex()}")
        elif complaint and not explained(name, complaint):
            wrong.append(f"{name}: {complaint}: {message.hex()}")
    assert not wrong, f"{len(wrong)} of {len(messages)}:\n" + "\n".join(wrong[:40])


def test_every_explanation_is_still_needed(tmp_path: Path) -> None:
    version = subprocess.run([tshark(), "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
    if " 4.0." not in version.splitlines()[0]:
        pytest.skip(f"the explanations are for Wireshark 4.0, not {version.splitlines()[0]}")
    messages = every_message()
    path = tmp_path / "messages.pcap"
    path.write_bytes(capture(messages))
    found = dissect(path)
    said = [(name, found[number][1]) for number, (name, _) in enumerate(messages)]
    for part, words, why in EXPLAINED:
        assert any(part in name and words in complaint for name, complaint in said), why


def test_a_damaged_message_is_noticed(tmp_path: Path) -> None:
    family = Family(AFI.IPV4, 1)
    sound = Packer(SHAPES["ibgp"]).announce(family, {bytes.fromhex("40010100400304c0000201"): [bytes(4) + b"\x08\x0a"]})
    damaged = sound[0].replace(bytes.fromhex("400304c0000201"), bytes.fromhex("400305c0000201"))
    path = tmp_path / "damaged.pcap"
    path.write_bytes(capture([("sound", sound[0]), ("damaged", damaged)]))
    found = dissect(path)
    assert found[0] == ("2", "")
    assert found[1][1]
