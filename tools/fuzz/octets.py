"""Targets: the decoders of single attributes, routes and capabilities, and neutral attribute sets."""

from __future__ import annotations

from random import Random

from apid.render.dialect import DEFAULT_DIALECT
from apid.render.json_attributes import ROWS as JSON_ATTRIBUTES
from apid.render.json_layout import ByNextHop, ByPrefix
from apid.render.nlri import nlri_text
from apid.render.routes import read_route
from apid.render.text_attributes import ROWS as TEXT_ATTRIBUTES
from bgp.attribute import ATTRIBUTES
from bgp.capability import CAPABILITIES, decode_capability
from bgp.errors import BGPError
from bgp.family import FAMILIES, Family
from bgp.nlri import decode, route_key, split, split_withdrawn
from bgp.nlri.registry import PATH_ID_OCTETS
from bgp.pack import Packer
from bgp.route import decode_set, next_hop_is_self
from bgp.shape import Shape
from bgp.update import Reach, Unreach
from tools.fuzz import mutate
from tools.fuzz.checks import CONTEXTS, Wrong, require, strict_json
from tools.fuzz.corpus import Corpus

CODES = sorted(ATTRIBUTES)
ROUTES = (*sorted(FAMILIES.values()), Family(1, 250), Family(4000, 1))
BY_NEXT_HOP = ByNextHop(DEFAULT_DIALECT, compact=False)
BY_PREFIX = ByPrefix(DEFAULT_DIALECT, compact=True)


def check_attribute(data: bytes) -> None:
    """Decode a value: octet 0 chooses the attribute, octet 1 the session."""
    if len(data) < 2:
        return
    row = ATTRIBUTES[CODES[data[0] % len(CODES)]]
    negotiated = CONTEXTS[data[1] % len(CONTEXTS)]
    try:
        attribute = row.attribute.decode(data[2:], negotiated)
    except BGPError as error:
        require(str(error).isprintable(), "an error that breaks a log line")
        return
    octets = attribute.encode(negotiated)
    try:
        again = row.attribute.decode(octets, negotiated)
    except BGPError as error:
        raise Wrong(f"{attribute} encodes to {octets.hex()}, which is refused: {error}") from error
    require(again == attribute and again.encode(negotiated) == octets, f"{attribute} encodes to {octets.hex()}")
    members = JSON_ATTRIBUTES[row.attribute](attribute, DEFAULT_DIALECT)
    strict_json(f"{{{members}}}")
    if row.attribute in TEXT_ATTRIBUTES:
        require(TEXT_ATTRIBUTES[row.attribute](attribute).isprintable(), "a text that cannot be printed")


def make_attribute(random: Random, corpus: Corpus) -> bytes:
    """Damage the value of an attribute."""
    number = random.randrange(len(CODES))
    seeds = corpus.attributes[CODES[number]] or [b""]
    return bytes((number, random.randrange(256))) + mutate.octets(random, random.choice(seeds), seeds)


def check_nlri(data: bytes) -> None:
    """Split and decode routes: octet 0 chooses the family; of octet 1, bit 0 is ADD-PATH, bit 1 a withdrawal."""
    if len(data) < 2:
        return
    family = ROUTES[data[0] % len(ROUTES)]
    add_path = bool(data[1] & 1)
    field = data[2:]
    try:
        items = (split_withdrawn if data[1] & 2 else split)(family, field, add_path)
    except ValueError as error:
        require(str(error).isprintable(), "an error that breaks a log line")
        return
    octets = sum(map(len, items)) - (0 if add_path else PATH_ID_OCTETS * len(items))
    require(octets == len(field), f"{octets} octets of routes out of {len(field)}")
    shown = frozenset((family,)) if add_path else frozenset[Family]()
    if items:
        strict_json(BY_PREFIX.announce([Reach(family, bytes(4), items)], shown))
        strict_json(BY_PREFIX.withdraw([Unreach(family, items)], shown))
    for item in items:
        require(len(route_key(family, item)) <= len(item), "a key that is longer than its item")
        strict_json(BY_NEXT_HOP.route(family, item, "192.0.2.1", shown))
        require(nlri_text(read_route(family, item), "::", add_path).isprintable(), "a text that cannot be printed")
        try:
            route = decode(family, item)
        except ValueError:
            continue
        require(route.path_id == int.from_bytes(item[:PATH_ID_OCTETS], "big"), "another path identifier")
        require(decode(family, route.item()) == route, f"{route} encodes to {route.item().hex()}")


def make_nlri(random: Random, corpus: Corpus) -> bytes:
    """Damage a field of routes."""
    number = random.randrange(len(ROUTES))
    seeds = corpus.nlri[ROUTES[number]] or [b""]
    return bytes((number, random.randrange(4))) + mutate.octets(random, random.choice(seeds), seeds)


def check_capability(data: bytes) -> None:
    """Decode a capability: octet 0 is its code."""
    if not data or len(data) > 256:
        return
    try:
        capability = decode_capability(data[0], data[1:])
    except ValueError as error:
        require(not CAPABILITIES[data[0]].INFORMATIONAL, "damage to what only informs costs the session")
        require(str(error).isprintable(), "an error that breaks a log line")
        return
    require(capability.code == data[0], f"code {data[0]} becomes {capability.code}")
    require(decode_capability(data[0], capability.encode()) == capability, f"{capability} does not come back")


def make_capability(random: Random, corpus: Corpus) -> bytes:
    """Damage a capability."""
    code, value = random.choice(corpus.capabilities)
    if random.random() < 0.1:
        code = random.randrange(256)
    return bytes((code,)) + mutate.octets(random, value, [value for _, value in corpus.capabilities])[:255]


SHAPES = tuple(Shape.of(context) for context in CONTEXTS)


def check_set(data: bytes) -> None:
    """Read and send a neutral attribute set: octet 0 chooses the shape, octet 1 the family."""
    if len(data) < 2:
        return
    number = data[0] % len(SHAPES)
    shape, family, octets = SHAPES[number], ROUTES[data[1] % len(ROUTES)], data[2:]
    try:
        decode_set(octets)
        next_hop_is_self(octets)
    except ValueError:
        pass
    packer = Packer(shape)
    item = bytes(4) + b"\x08\x0a"
    messages = packer.announce(family, {octets: [item]}) + packer.withdraw(family, {octets: [item]})
    for message in messages:
        require(len(message) <= shape.message_size, f"a message of {len(message)} octets")
        require(int.from_bytes(message[16:18], "big") == len(message), "a length that is not that of the message")
    for skipped in packer.skipped:
        require(skipped.reason and skipped.reason.isprintable(), "a reason that breaks a log line")


def make_set(random: Random, corpus: Corpus) -> bytes:
    """Damage a neutral attribute set."""
    head = bytes((random.randrange(256), random.randrange(256)))
    return head + mutate.octets(random, random.choice(corpus.sets), corpus.sets)
