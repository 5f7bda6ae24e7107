"""`bgpbus decode` and `bgpbus encode`."""

from __future__ import annotations

import os
import socket
import sys
import time

import click

from apid.cli.errors import Failed, Misconfigured
from apid.cli.packing import agreed, pack_entry
from apid.cli.validate import known_neighbors
from apid.grammar.command import RouteChange, parse_command
from apid.grammar.nlri import read_family
from apid.grammar.tokens import command_tokens
from apid.grammar.words import GrammarError, Words
from apid.load import LoadError, read_configuration
from apid.render.decode import ASN as DECODE_ASN
from apid.render.decode import (
    decode_context,
    decode_in_session,
    decode_neighbor,
    decode_nlri,
    octets_of,
    wrong_length,
)
from apid.render.envelope import NeighborContext, ProcessContext
from bgp.family import IPV4_UNICAST, Family
from bgp.message import HEADER_LENGTH
from bgp.negotiated import Negotiated
from bgp.pack import Packer
from bgp.shape import Shape
from bgp.wire import address_text

ASN = click.IntRange(1, 2**32 - 1)
VERBS = ("announce", "withdraw", "neighbor", "peer")


def _family(text: str) -> Family:
    """Read `AFI SAFI`; the two may be joined by a dash or a slash."""
    try:
        words = Words(command_tokens(text.replace("/", " ")))
        family = read_family(words)
        words.finish()
    except GrammarError as error:
        raise click.BadParameter(str(error)) from error
    return family


def _families(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[Family, ...]:
    return tuple(_family(value) for value in values)


@click.command()
@click.argument("payload", nargs=-1)
@click.option("-n", "--nlri", is_flag=True, help="The digits are the routes of one family, not a message.")
@click.option("-f", "--family", "families", multiple=True, callback=_families, help="A family, as 'ipv4 unicast'.")
@click.option("-i", "--path-information", is_flag=True, help="Routes have path identifiers (ADD-PATH).")
@click.option("-a", "--local-as", type=ASN, default=DECODE_ASN, show_default=True, help="AS of who received it.")
@click.option("-z", "--peer-as", type=ASN, default=DECODE_ASN, show_default=True, help="AS of who sent it.")
@click.option("--two-octet-as", is_flag=True, help="AS numbers have 2 octets.")
@click.option("--text", is_flag=True, help="Print what a helper with the text encoder reads.")
@click.option("--by-prefix", is_flag=True, help="Print the JSON layout that is keyed by prefix.")
@click.option("-u", "--update", is_flag=True, hidden=True)
@click.option("-o", "--open", "is_open", is_flag=True, hidden=True)
@click.option("-d", "--debug", is_flag=True, hidden=True)
@click.option("-p", "--pdb", is_flag=True, hidden=True)
@click.option(
    "-c", "--configuration", help="As the sessions of this file would, one line for each; not with -f, -i, -a, -z."
)
def decode(
    payload: tuple[str, ...],
    nlri: bool,
    families: tuple[Family, ...],
    path_information: bool,
    local_as: int,
    peer_as: int,
    two_octet_as: bool,
    text: bool,
    by_prefix: bool,
    update: bool,
    is_open: bool,
    debug: bool,
    pdb: bool,
    configuration: str | None,
) -> None:
    """Decode an OPEN, UPDATE or NOTIFICATION, or the body of an UPDATE; without PAYLOAD, from standard input.

    Colons and spaces between the digits do not count.

    \b
    bgpbus decode FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF002302000000…
    bgpbus decode -n -f 'ipv4 unicast' 180A0000
    tail -1 packets.hex | bgpbus decode --text
    """
    digits = "".join(payload) or sys.stdin.read()
    try:
        octets = octets_of("".join(digits.split()).removeprefix("0x"))
        if nlri:
            for line in decode_nlri(octets, families[0] if families else IPV4_UNICAST, path_information):
                click.echo(line)
            return
        if configuration is None:
            negotiated = decode_context(
                families, path_information, asn4=not two_octet_as, local_as=local_as, peer_as=peer_as
            )
            sessions = [(decode_neighbor(local_as, peer_as), negotiated)]
        else:
            sessions = _sessions(configuration)
        for neighbor, negotiated in sessions:
            event = decode_in_session(
                octets,
                neighbor,
                negotiated,
                when=time.time(),
                process=ProcessContext(socket.gethostname(), os.getpid(), os.getppid()),
                encoder="text" if text else "json",
                layout="by-prefix" if by_prefix else "by-next-hop",
            )
            click.echo(event)
    except ValueError as error:
        raise Failed(f"invalid payload: {error}") from error
    if wrong := wrong_length(octets):
        click.echo(f"warning: {wrong}", err=True)


def _sessions(file: str) -> list[tuple[NeighborContext, Negotiated]]:
    """Return each neighbor of a configuration, and its session with a peer that agrees to all of it."""
    try:
        loaded = read_configuration([file])
    except LoadError as error:
        raise Misconfigured(str(error)) from error
    all_known = known_neighbors(loaded)
    sessions = []
    for neighbor in loaded.configuration.neighbors:
        known = all_known[neighbor.name]
        session = agreed(known.settings, known.local_address)
        local = known.configuration.local_address or "auto"
        router_id = address_text(neighbor.router_id)
        sessions.append((NeighborContext(known.address, local, session.local_as, session.peer_as, router_id), session))
    return sessions


@click.command()
@click.argument("route", nargs=-1, required=True)
@click.option("-a", "--local-as", type=ASN, default=65000, show_default=True)
@click.option("-z", "--peer-as", type=ASN, default=65001, show_default=True)
@click.option("--local-address", default="192.0.2.1", show_default=True, help="What 'next-hop self' becomes.")
@click.option("-i", "--path-information", is_flag=True, help="Send path identifiers (ADD-PATH).")
@click.option("--two-octet-as", is_flag=True, help="The peer knows AS numbers of 2 octets only.")
@click.option("-n", "--nlri", is_flag=True, help="Print the route alone.")
@click.option("--no-header", is_flag=True, help="Print the body without the BGP header.")
def encode(
    route: tuple[str, ...],
    local_as: int,
    peer_as: int,
    local_address: str,
    path_information: bool,
    two_octet_as: bool,
    nlri: bool,
    no_header: bool,
) -> None:
    """Encode a route as the UPDATE that a peer would be sent; ROUTE is as after 'announce'.

    \b
    bgpbus encode 'route 192.0.2.0/24 next-hop 198.51.100.1 med 10'
    bgpbus encode 'flow route destination 192.0.2.1/32 discard' | bgpbus decode
    bgpbus encode withdraw route 192.0.2.0/24
    """
    change = _change(" ".join(route))
    families = tuple(sorted({entry.family for entry in change.entries}))
    shape = Shape(
        ibgp=local_as == peer_as,
        local_as=local_as,
        local_address=_address(local_address),
        asn4=not two_octet_as,
        families=families,
        add_path=families if path_information else (),
        next_hop=tuple((family, 2) for family in families if family.afi == 1),
        aigp=True,
    )
    packer = Packer(shape)
    for entry in change.entries:
        if nlri:
            for item in entry.items:
                click.echo((item if path_information else item[4:]).hex().upper())
            continue
        try:
            messages = (
                pack_entry(packer, entry)
                if change.announce
                else packer.withdraw(entry.family, {entry.attributes: list(entry.items)})
            )
        except ValueError as error:
            raise Failed(str(error)) from error
        for message in messages:
            click.echo(message[HEADER_LENGTH if no_header else 0 :].hex().upper())


def _change(text: str) -> RouteChange:
    words = text.split()
    line = text if words and words[0] in VERBS else f"announce {text}"
    try:
        command = parse_command(line)
    except GrammarError as error:
        raise Misconfigured(str(error)) from error
    if not isinstance(command, RouteChange):
        raise click.UsageError(f"a route is expected, not '{text}'")
    return command


def _address(text: str) -> bytes:
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    try:
        return socket.inet_pton(family, text)
    except OSError as error:
        raise click.BadParameter(f"'{text}' is not an IP address") from error
