"""Targets: what people and helpers write. Commands with the messages that follow from them, and configurations."""

from __future__ import annotations

from random import Random

from msgspec.structs import replace

from apid.config.errors import ConfigurationErrors
from apid.config.load import load_text
from apid.grammar.command import RouteChange, parse_command
from apid.grammar.command_kinds import Batch, Command
from apid.grammar.fast import CommandReader, Invalid, Routes, Single
from apid.grammar.route import RouteEntry
from apid.grammar.words import GrammarError
from apid.render.nlri import nlri_text
from bgp.attribute.attribute_set import AttributeSet
from bgp.errors import NotifyError
from bgp.family import AFI, IPV4_MPLS_VPN, IPV4_NLRI_MPLS
from bgp.message import HEADER_LENGTH, split_messages
from bgp.negotiated import Negotiated
from bgp.nlri import decode
from bgp.pack import Packer
from bgp.route import decode_set
from bgp.shape import Shape
from bgp.update import UpdateDecoder
from tools.fuzz import mutate
from tools.fuzz.checks import CONTEXTS, Wrong, require
from tools.fuzz.corpus import Corpus

# IPv6 next hops that are sent although none were agreed upon: receivers go by the length (bgp/outgoing.py).
BY_LENGTH = frozenset(((IPV4_NLRI_MPLS, AFI.IPV6), (IPV4_MPLS_VPN, AFI.IPV6)))
ENVIRONMENT = {"PATH": "/bin:/usr/bin", "PEER": "127.0.0.2"}

_reader = CommandReader(most=300_000)


def check_command(data: bytes) -> None:
    """Read a line in both ways, and send what it says to every kind of session."""
    text = data.decode("utf-8", "replace")
    line = text.split("\n", 1)[0]
    command: Command | None = None
    try:
        command = parse_command(line)
    except GrammarError as error:
        require(str(error), "an error without words")
    steps = _reader.read(line.encode() + b"\n")
    require(len(steps) == 1, f"{len(steps)} steps for one line")
    _agree(steps[0], command)
    for change in _changes(command):
        for entry in change.entries:
            _check_entry(entry, change.announce)


def _agree(step: Routes | Single | Invalid, command: Command | None) -> None:
    if isinstance(step, Invalid):
        require(command is None, "the fast reader refuses it")
    elif isinstance(step, Single):
        require(step.command == command, "the fast reader says otherwise")
    else:
        require(isinstance(command, RouteChange), "the fast reader sees a route")
        if isinstance(command, RouteChange):
            (entry,) = command.entries
            seen = (step.announce, step.family, step.attributes, tuple(step.items))
            said = (command.announce, entry.family, entry.attributes, entry.items)
            require(seen == said, f"the fast reader says {seen}, not {said}")


def _changes(command: Command | None) -> list[RouteChange]:
    if isinstance(command, Batch):
        return list(command.commands)
    return [command] if isinstance(command, RouteChange) else []


def _check_entry(entry: RouteEntry, announce: bool) -> None:
    """Read items and attributes back, and see that a peer can read what it is sent."""
    for item in entry.items[:100]:
        route = decode(entry.family, item)
        require(route.item() == item, f"{item.hex()} comes back as {route.item().hex()}")
        require(nlri_text(route).isprintable(), "a text that cannot be printed")
    attributes, _ = decode_set(entry.attributes)
    AttributeSet(entry.attributes, attributes)
    routes = {entry.attributes: list(entry.items[:300])}
    for context in CONTEXTS:
        shape = Shape.of(context)
        packer = Packer(shape)
        octets = packer.announce(entry.family, routes) if announce else packer.withdraw(entry.family, routes)
        _read_back(b"".join(octets), shape, context, announce)


def _read_back(octets: bytes, shape: Shape, context: Negotiated, announce: bool) -> None:
    """Decode what is sent as the other side does; what a raw attribute damages is its writer's business."""
    decoder = UpdateDecoder(replace(context, next_hop=context.next_hop | BY_LENGTH))
    for message in split_messages(octets):
        require(len(message) <= shape.message_size, f"a message of {len(message)} octets")
        try:
            update = decoder.decode(message[HEADER_LENGTH:])
        except NotifyError as error:
            if b"0x" not in octets and error.subcode not in (2, 4, 5):
                raise Wrong(f"the peer would end the session: {error}") from error
            continue
        require(update.announced or update.withdrawn, "a message that says nothing")
        require(announce or not update.announced, "a withdrawal that announces")


def make_command(random: Random, corpus: Corpus) -> bytes:
    """Damage a command."""
    return mutate.text(random, random.choice(corpus.commands), corpus.words).encode("utf-8", "replace")


def check_configuration(data: bytes) -> None:
    """Load a configuration."""
    try:
        configuration = load_text(data.decode("utf-8", "replace"), ENVIRONMENT)
    except ConfigurationErrors as errors:
        require(errors.errors and str(errors), "errors without words")
        return
    for neighbor in configuration.neighbors:
        for entry in neighbor.routes:
            _check_entry(entry, announce=True)


def make_configuration(random: Random, corpus: Corpus) -> bytes:
    """Damage a configuration."""
    return mutate.text(random, random.choice(corpus.configurations), corpus.words).encode("utf-8", "replace")
