"""Pack routes as a session of a neighbor would, and read them as its peer would: for `encode` and `validate -r`."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from apid.grammar.route import RouteEntry
from bgp.attribute import (
    Aggregator,
    Aigp,
    AsPath,
    Attribute,
    AttributeSet,
    ClusterList,
    LocalPref,
    OnlyToCustomer,
    OriginatorId,
    UnknownAttribute,
)
from bgp.capability.add_path import RECEIVE, SEND
from bgp.errors import NotifyError
from bgp.family import FLOW_SAFIS
from bgp.message import HEADER_LENGTH
from bgp.negotiate import SessionFacts, negotiate
from bgp.negotiated import Negotiated
from bgp.nlri import route_key
from bgp.pack import Packer
from bgp.route import decode_set
from bgp.settings import SessionSettings
from bgp.update import UpdateDecoder

UNKNOWN_AS = 65000  # where a session takes over the peer's
ROUTER_IDS = (bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2)))  # of peers


def agreed(settings: SessionSettings, local_address: bytes) -> Negotiated:
    """Return what a session negotiates with a peer that agrees to all that is configured.

    local_address: packed, empty where it is not known.
    """
    local_as = next(each for each in (settings.local_as, settings.peer_as, UNKNOWN_AS) if each is not None)
    peer_as = local_as if settings.peer_as is None else settings.peer_as
    router_id = next(each for each in ROUTER_IDS if each != settings.router_id)
    receives, sends = settings.add_path & RECEIVE, settings.add_path & SEND
    mirrored = (SEND if receives else 0) | (RECEIVE if sends else 0)
    peer = replace(settings, router_id=router_id, local_as=peer_as, peer_as=local_as, add_path=mirrored, role=None)
    facts = SessionFacts(local_as, peer_as, local_address or bytes(4), aigp=settings.aigp)
    return negotiate(settings.open(peer_as), peer.open(local_as), facts)


def _differences(wanted: dict[int, Attribute], received: AttributeSet, negotiated: Negotiated) -> Iterator[str]:
    """Yield the attributes that came back as others than were configured; some are not for every session."""
    withheld = {OnlyToCustomer.CODE}
    withheld |= set() if negotiated.ibgp else {LocalPref.CODE, OriginatorId.CODE, ClusterList.CODE}
    withheld |= set() if negotiated.aigp else {Aigp.CODE}
    withheld |= set() if negotiated.asn4 else {AsPath.CODE, Aggregator.CODE}  # AS_TRANS stands for larger numbers
    for code, attribute in wanted.items():
        came = received.get(code)
        if isinstance(attribute, UnknownAttribute) and came is not None:
            same = came.encode(negotiated) == attribute.data
        else:
            same = came == attribute
        if not same and code not in withheld:
            yield f"{attribute} came back as {came if came is not None else 'nothing'}"


def pack_entry(packer: Packer, entry: RouteEntry) -> list[bytes]:
    """Pack routes into whole UPDATEs; ValueError says why a session cannot carry them."""
    messages = packer.announce(entry.family, {entry.attributes: list(entry.items)})
    if packer.skipped:
        raise ValueError(packer.skipped[0].reason)
    if not messages:
        raise ValueError(f"the session does not carry {entry.family}")
    return messages


def problems(entry: RouteEntry, messages: list[bytes], negotiated: Negotiated) -> Iterator[str]:
    """Read messages back and yield what differs from the routes that they were made of."""
    decoder = UpdateDecoder(negotiated)
    add_path = entry.family in negotiated.add_path_receive
    sent = {route_key(entry.family, item if add_path else bytes(4) + item[4:]) for item in entry.items}
    wanted, next_hop = decode_set(entry.attributes)
    differences: dict[str, None] = {}
    for message in messages:
        try:
            update = decoder.decode(message[HEADER_LENGTH:])
        except NotifyError as error:
            yield str(error)
            return
        if update.error is not None:
            yield update.error
        yield from update.discarded
        for reach in update.announced:
            sent -= {route_key(reach.family, item) for item in reach.items}
            # FlowSpec has none, but for redirections.
            if next_hop and entry.family.safi not in FLOW_SAFIS and not reach.next_hop.endswith(next_hop):
                differences[f"the next hop {next_hop.hex()} came back as {reach.next_hop.hex()}"] = None
        differences |= dict.fromkeys(_differences(wanted, update.attributes, negotiated))
    yield from differences
    if sent:
        yield f"{len(sent)} of {len(entry.items)} routes did not come back"
