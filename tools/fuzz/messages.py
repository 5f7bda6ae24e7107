"""Targets: whole messages. UPDATEs as a session decodes them, OPENs, events of any message, and the framer."""

from __future__ import annotations

from random import Random

from apid.render import RECEIVE, SEND, decode_event
from bgp.attribute import AttributeSet
from bgp.attribute.walk import frame, walk
from bgp.errors import NotifyError
from bgp.family import IPV4_UNICAST, IPV6_UNICAST
from bgp.message import HEADER_LENGTH, MARKER, Framer, MessageType, build
from bgp.negotiate import SessionFacts, negotiate
from bgp.negotiated import EXTENDED_MESSAGE_SIZE, MESSAGE_SIZE
from bgp.notification import Notification
from bgp.open import Open
from bgp.settings import SessionSettings
from bgp.shape import Shape
from bgp.update import CACHED_ATTRIBUTES, CACHED_SETS, UpdateDecoder
from bgp.wire import Truncated
from tools.fuzz import mutate
from tools.fuzz.checks import (
    CONTEXTS,
    EVERY_FAMILY,
    EVERY_FORM,
    IPV6_NEXT_HOPS,
    Wrong,
    renderers,
    require,
    sound_error,
    sound_events,
    sound_update,
)
from tools.fuzz.corpus import Corpus

LONGEST_LINE = 4096  # characters that a NOTIFICATION may add to a log

_LONGEST_BODY = EXTENDED_MESSAGE_SIZE - HEADER_LENGTH

_decoders = [UpdateDecoder(context) for context in CONTEXTS]
_renderers = [renderers() for _ in CONTEXTS]


def check_update(data: bytes) -> None:
    """Decode the body of an UPDATE and write its events: octet 0 chooses the session.

    A decoder that remembers must say what a new one says.
    """
    if not data or len(data) > _LONGEST_BODY + 1:
        return
    number, body = data[0] % len(CONTEXTS), data[1:]
    old = _decoders[number]
    try:
        update = UpdateDecoder(CONTEXTS[number]).decode(body)
    except NotifyError as error:
        sound_error(error, 3)
        try:
            old.decode(body)
        except NotifyError as again:
            require(str(again) == str(error), f"{error} was {again} after others")
            return
        raise Wrong(f"{error} was no error after others") from error
    sound_update(update)
    require(old.decode(body) == update, "another UPDATE after others")
    require(len(old._cache) <= CACHED_SETS and len(old._known) <= CACHED_ATTRIBUTES, "a cache beyond its bound")
    require(_attributes(update.attributes) == _attributes(old.decode(body).attributes), "other attributes after others")
    sound_events(_renderers[number], build(MessageType.UPDATE, body), CONTEXTS[number], EVERY_FORM)


def _attributes(attributes: AttributeSet) -> list[object]:
    return list(attributes)


def make_update(random: Random, corpus: Corpus) -> bytes:
    """Damage an UPDATE: half of the time within its attributes, whose lengths are then right again."""
    body = random.choice(corpus.updates)
    if random.random() < 0.5:
        body = _damaged_attributes(random, body, corpus)
    else:
        body = mutate.octets(random, body, corpus.updates)
    return bytes((random.randrange(len(CONTEXTS)),)) + body


def _damaged_attributes(random: Random, body: bytes, corpus: Corpus) -> bytes:
    start = 4 + int.from_bytes(body[:2], "big")
    stop = start + int.from_bytes(body[start - 2 : start], "big")
    octets, routes = body[start:stop], body[stop:]
    try:
        parts = [(flags, code, octets[value:end]) for flags, code, _, value, end in walk(octets)]
    except Truncated:
        return mutate.octets(random, body, corpus.updates)
    for _ in range(random.choice((1, 1, 2, 3))):
        if random.random() < 0.3 or not parts:
            code = random.choice(list(corpus.attributes))
            seeds = corpus.attributes[code]
            if seeds:
                flags = random.choice((0x40, 0x80, 0xC0, 0xE0))
                parts.insert(random.randrange(len(parts) + 1), (flags, code, random.choice(seeds)))
            continue
        place = random.randrange(len(parts))
        flags, code, value = parts[place]
        match random.randrange(5):
            case 0:
                flags ^= random.choice((0x80, 0x40, 0x20, 0x10, 0x0F))
            case 1:
                code = random.choice(list(corpus.attributes))
            case 2:
                del parts[place]
                continue
            case _:
                value = mutate.octets(random, value, corpus.attributes[code])[:60_000]
        parts[place] = flags, code, value
    octets = b"".join(frame(*part) for part in parts)[:60_000]
    return body[: start - 2] + len(octets).to_bytes(2, "big") + octets + routes


def check_message(data: bytes) -> None:
    """Write the events of any message, and decode it as `bgpbus decode` does: octet 0 chooses the session."""
    if not data:
        return
    number, message = data[0] % len(CONTEXTS), data[1:]
    try:
        said = decode_event(message)
        require("\n" not in said, "an event of several lines")
    except ValueError as error:
        require(str(error).isprintable(), "an error that breaks a line")
    if not HEADER_LENGTH <= len(message) <= EXTENDED_MESSAGE_SIZE:
        return
    message = MARKER + len(message).to_bytes(2, "big") + message[18:]
    if message[18] == MessageType.NOTIFICATION and len(message) >= HEADER_LENGTH + 2:
        words = str(Notification.decode(message[HEADER_LENGTH:]))
        require(words.isprintable() and len(words) < LONGEST_LINE, "a NOTIFICATION that breaks a log line")
    direction = SEND if data[0] & 0x80 else RECEIVE
    sound_events(_renderers[number], message, CONTEXTS[number], EVERY_FORM, direction)


def make_message(random: Random, corpus: Corpus) -> bytes:
    """Damage a message."""
    return bytes((random.randrange(256),)) + mutate.octets(random, random.choice(corpus.messages), corpus.messages)


OURS = (
    SessionSettings(bytes((10, 0, 0, 254)), 65000, None, role=0),
    SessionSettings(
        bytes((10, 0, 0, 254)),
        None,
        None,
        families=EVERY_FAMILY,
        route_refresh=True,
        graceful_restart=120,
        long_lived_time=3600,
        add_path=3,
        multi_session=True,
        operational=True,
        next_hops=tuple(IPV6_NEXT_HOPS),
        link_local=True,
    ),
    SessionSettings(bytes((10, 0, 0, 254)), 65000, 65001, families=(IPV4_UNICAST, IPV6_UNICAST), asn4=False),
)


def check_open(data: bytes) -> None:
    """Decode the body of an OPEN, agree with it, and write its event: octet 0 chooses who we are."""
    if not data or len(data) > MESSAGE_SIZE:
        return
    ours, body = OURS[data[0] % len(OURS)], data[1:]
    negotiated = None
    try:
        received = Open.decode(body)
        require(Open.decode(received.encode()) == received, "an OPEN that does not come back")
        sent = ours.open(received.real_asn)
        negotiated = negotiate(sent, received, SessionFacts(ours.local_as, ours.peer_as))
        shape = Shape.of(negotiated)
        require(Shape.from_wire(shape.to_wire()) == shape, "a shape that does not come back")
    except NotifyError as error:
        sound_error(error, 1, 2)
    sound_events(renderers(), build(MessageType.OPEN, body), negotiated, EVERY_FORM)


def make_open(random: Random, corpus: Corpus) -> bytes:
    """Damage an OPEN."""
    return bytes((random.randrange(256),)) + mutate.octets(random, random.choice(corpus.opens), corpus.opens)


def check_framer(data: bytes) -> None:
    """Cut a stream anywhere: octets 0 and 1 seed the cuts. The messages and the error must not depend on them."""
    stream = data[2:]
    random = Random(int.from_bytes(data[:2], "big"))
    whole = Framer()
    whole.append(stream)
    messages, error = whole.take_all()
    single = Framer()
    single.append(stream)
    for message in messages:
        require(single.take() == message, "another message when taken one by one")
    pieces: list[bytes] = []
    framer = Framer()
    failed: NotifyError | None = None
    offset = 0
    while offset < len(stream) and failed is None:
        size = random.choice((1, 2, 18, 19, 20, 100, 5000))
        framer.append(stream[offset : offset + size])
        taken, failed = framer.take_all()
        pieces += taken
        offset += size
    require(pieces == messages, f"{len(pieces)} messages in pieces, {len(messages)} as a whole")
    require((failed is None) == (error is None), f"{failed} in pieces, {error} as a whole")
    if failed is not None and error is not None:
        require((failed.code, failed.subcode) == (error.code, error.subcode), f"{failed} in pieces, {error} as a whole")
        sound_error(failed, 1)
    require(framer.pending <= len(stream), "octets from nowhere")


def make_framer(random: Random, corpus: Corpus) -> bytes:
    """Damage a stream of messages."""
    stream = b"".join(random.choice(corpus.messages) for _ in range(random.choice((1, 3, 10))))
    if random.random() < 0.7:
        stream = mutate.octets(random, stream, corpus.messages)
    return random.randbytes(2) + stream
