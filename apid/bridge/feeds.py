"""What the sessions tell this helper: subscriptions, contexts, rendering.

Credit is given back as soon as a feed is rendered: the helper's queue is here, bounded, and never holds a session back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgpack
from msgspec.structs import replace

from apid.render.envelope import NeighborContext, ProcessContext
from apid.render.form import RECEIVE, SEND, Form
from apid.render.renderer import Renderer
from bgp.message import MessageType
from bgp.negotiate import negotiate_messages
from bgp.negotiated import Negotiated
from bgp.settings_wire import facts_from_wire
from bgp.wire import address_text
from bus.daemon import RunDirectory
from bus.loop import Loop
from bus.names import address_of, neighbor_of
from bus.schema import (
    FEED_FSM,
    FEED_MESSAGES,
    FEED_OPENED,
    FEED_PLAIN,
    FEED_RECEIVED,
    FEED_SENT,
    FEED_STATE,
    FEED_TRIED,
    Credit,
    Feed,
    Message,
    Settled,
    Spoken,
    Subscribe,
)
from bus.settings import ApiBinding, HelperConfiguration
from bus.transport import Client

CREDIT = 4 * 1024 * 1024  # octets on the way from one session
SESSIONS = 16_384  # of ranges, whose context is kept


def form_of(parsed: bool, packets: bool, consolidate: bool, negotiated: bool) -> int:
    """Return the `Form` flags of a binding's direction."""
    form = Form.PARSED * parsed | Form.PACKETS * packets | Form.CONSOLIDATE * consolidate
    return form | Form.NEGOTIATED * (negotiated and bool(form))


def rendering(helper: HelperConfiguration) -> tuple[str, str, str, bool]:
    """Return all that decides how a helper's events look: layout, encoder, dialect, compact."""
    return helper.json_layout, helper.encoder, helper.dialect, helper.compact


def helper_renderer(neighbor: NeighborContext, process: ProcessContext, helper: HelperConfiguration) -> Renderer:
    """Return the renderer of one neighbor's events for a helper."""
    return Renderer(neighbor, process, *rendering(helper))


class Watched:
    """One neighbor's feed: its renderer, its context, its event counter."""

    def __init__(self, binding: ApiBinding, helper: HelperConfiguration, process: ProcessContext) -> None:
        self.binding = binding
        self._helper, self._process = helper, process
        self.received_form = form_of(
            binding.received_parsed, binding.received_packets, binding.received_consolidate, binding.negotiated
        )
        self.sent_form = form_of(
            # As in ExaBGP: what is sent comes with its octets only if `packets` is asked for by name.
            binding.sent_parsed or binding.sent_consolidate,
            binding.sent_packets,
            binding.sent_consolidate and binding.sent_packets,
            binding.negotiated,
        )
        self.negotiated: Negotiated | None = None
        self.counter = 1
        self.renderer = self._renderer(binding.peer_address, binding.local_address, binding.local_as, binding.peer_as)

    def _renderer(self, peer: str, local: str, local_as: int, peer_as: int) -> Renderer:
        context = NeighborContext(peer, local or "auto", local_as, peer_as, self.binding.router_id)
        helper = self._helper
        return helper_renderer(context, self._process, helper)

    def session(self, name: str) -> Watched:
        """Return the same for one session of a range, which is reported under its own address."""
        binding = replace(self.binding, neighbor=name, peer_address=address_of(name))
        return Watched(binding, self._helper, self._process)

    def renders_for(self, helper: HelperConfiguration) -> bool:
        """Whether events look the same to a helper of this configuration."""
        return rendering(self._helper) == rendering(helper)

    @property
    def subscription(self) -> Subscribe | None:
        """What to ask the peerd for; None where this helper wants nothing of this neighbor."""
        binding = self.binding
        if not binding.subscribes:
            return None
        kinds = (
            1 << FEED_OPENED
            | binding.state << FEED_STATE
            | binding.fsm << FEED_FSM
            | bool(binding.received_types) << FEED_RECEIVED
            | bool(binding.sent_types) << FEED_SENT
        )
        return Subscribe(binding.neighbor, self._helper.name, kinds, binding.received_types, binding.sent_types, CREDIT)

    def render(self, when: float, kind: int, octets: bytes) -> list[bytes]:
        """Render an item."""
        if kind == FEED_PLAIN and self.received_form == Form.PARSED and self.negotiated is not None:
            return self._count(self.renderer.plain(octets, when, self.negotiated, self.counter))
        if kind in FEED_MESSAGES:
            # An OPEN belongs to a session that has negotiated nothing yet, whatever the one before has.
            negotiated = None if octets[18] == MessageType.OPEN else self.negotiated
            direction, form = (SEND, self.sent_form) if kind == FEED_SENT else (RECEIVE, self.received_form)
            return self._count(self.renderer.message(octets, when, direction, negotiated, self.counter, form))
        if kind == FEED_OPENED:
            return self._opened(when, octets)
        if kind == FEED_FSM:
            return self._count([self.renderer.fsm(when, self.counter, octets.decode())])
        state, _, reason = octets.decode(errors="replace").partition(" - ")
        if state == "down":
            self.negotiated = None
        return self._count([self.renderer.state(when, self.counter, state, reason)])

    def _opened(self, when: float, octets: bytes) -> list[bytes]:
        sent, received, facts = msgpack.unpackb(octets)
        negotiated = negotiate_messages(sent, received, facts_from_wire(facts))
        self.negotiated = negotiated
        self.renderer = self._renderer(
            address_text(negotiated.peer_address),
            address_text(negotiated.local_address),
            negotiated.local_as,
            negotiated.peer_as,
        )
        if not self.binding.negotiated:
            return []
        return self._count([self.renderer.negotiated(when, self.counter, negotiated)])

    def _count(self, lines: list[bytes]) -> list[bytes]:
        lines = [line for line in lines if line]
        self.counter += len(lines)
        return lines


class Feeds:
    """All neighbors of one helper."""

    def __init__(
        self,
        loop: Loop,
        run: RunDirectory,
        output: Callable[[list[bytes]], None],
        lost: Callable[[int], None],
        full: Callable[[], bool],
        tried: Callable[[], None],
        log: logging.Logger,
    ) -> None:
        """Take whom to give lines and counts of lost items, and whom to call once every session was `tried`."""
        self._loop, self._run, self._log = loop, run, log
        self._output, self._lost, self._full, self._all_tried = output, lost, full, tried
        self._name = ""
        self._spoken = False  # the helper has had its first moment
        self._untried: set[str] = set()  # neighbors whose first session has not its routes yet, nor has failed
        self._settled = False  # the helper has announced what it had to announce at its start
        self._clients: dict[str, Client] = {}
        self._watched: dict[str, Watched] = {}
        self._of_ranges: dict[str, Watched] = {}  # sessions of ranges, the one last heard of at the end

    def configure(self, helper: HelperConfiguration, bindings: list[ApiBinding], process: ProcessContext) -> None:
        """Subscribe to what the bindings say; sessions whose binding stays the same go on."""
        self._name = helper.name
        wanted = {binding.neighbor: binding for binding in bindings}
        for name in self._watched.keys() - wanted.keys():
            self._unsubscribe(name)
        for name, binding in wanted.items():
            known = self._watched.get(name)
            if known is not None and known.binding == binding and known.renders_for(helper):
                continue
            if known is not None:
                self._unsubscribe(name)
            self._watched[name] = watched = Watched(binding, helper, process)
            self._subscribe(watched)
        programs = {watched.binding.program for watched in self._watched.values()}
        for program in self._clients.keys() - programs:
            self._clients.pop(program).close()

    def _unsubscribe(self, name: str) -> None:
        watched = self._watched.pop(name)
        self._forget_sessions(name)
        client = self._clients.get(watched.binding.program)
        if client is not None:
            client.send(Subscribe(name, self._name, 0, 0, 0, 0))
        self._note_tried(name)

    def _forget_sessions(self, name: str) -> None:
        """Forget the sessions of a range."""
        for session in [each for each in self._of_ranges if neighbor_of(each) == name]:
            del self._of_ranges[session]

    def _subscribe(self, watched: Watched) -> None:
        program = watched.binding.program
        client = self._clients.get(program)
        if client is None:
            self._clients[program] = Client(
                self._loop, self._run.peerd(program), self._message, lambda: self._connected(program), self._bad
            )
        else:
            self._greet(watched, client)

    def _greet(self, watched: Watched, client: Client) -> None:
        """Say what is wanted of a session, and what it waits for."""
        if watched.subscription is not None:
            watched.negotiated = None
            self._forget_sessions(watched.binding.neighbor)
            client.send(watched.subscription)
        if self._spoken:
            client.send(Spoken(watched.binding.neighbor, self._name))
        if watched.binding.awaited and self._settled:
            client.send(Settled(watched.binding.neighbor, self._name))

    def spoken(self) -> None:
        """Let the sessions have routes, and find out when each was tried. Of ranges nobody knows who will connect."""
        self._spoken = True
        self._untried = {name for name, each in self._watched.items() if "/" not in each.binding.peer_address}
        for name, watched in self._watched.items():
            self._clients[watched.binding.program].send(Spoken(name, self._name))
        if not self._untried:
            self._all_tried()

    def _note_tried(self, name: str) -> None:
        if name in self._untried:
            self._untried.remove(name)
            if not self._untried:
                self._all_tried()

    def settled(self) -> None:
        """Tell the sessions that wait for it that the helper has announced what it had to announce at its start."""
        self._settled = True
        for watched in self._watched.values():
            if watched.binding.awaited:
                self._clients[watched.binding.program].send(Settled(watched.binding.neighbor, self._name))

    def _connected(self, program: str) -> None:
        """The peerd is there, or back: nothing of its former life is known to it."""
        for watched in self._watched.values():
            if watched.binding.program == program:
                self._greet(watched, self._clients[program])

    def _message(self, message: Message) -> None:
        if not isinstance(message, Feed):
            self._bad(f"{type(message).__name__} is not for a bridge")
            return
        watched = self._watched.get(message.neighbor) or self._session(message.neighbor)
        if watched is None:
            return
        if message.lost:
            self._lost(message.lost)
        size = 0
        lines: list[bytes] = []
        full, skipped = self._full(), 0
        for when, kind, octets in message.items:
            size += len(octets) + 24
            if kind == FEED_TRIED:
                self._note_tried(message.neighbor)
            elif full and kind in FEED_MESSAGES:
                skipped += 1
            else:
                lines += watched.render(when, kind, octets)
        if lines:
            self._output(lines)
        if skipped:
            self._lost(skipped)
        self._clients[watched.binding.program].send(Credit(message.neighbor, size))

    def _session(self, name: str) -> Watched | None:
        """Return a session of a range that this helper follows; of very many, the most silent are forgotten."""
        watched = self._watched.get(neighbor_of(name))
        if watched is None or not address_of(name):
            return None
        session = self._of_ranges.pop(name, None) or watched.session(name)
        self._of_ranges[name] = session
        if len(self._of_ranges) > SESSIONS:
            self._of_ranges.pop(next(iter(self._of_ranges)))
        return session

    def _bad(self, reason: str) -> None:
        self._log.warning("bad message refused: %s", reason)

    @property
    def up(self) -> bool:
        """Whether a session is up whose end the helper wants to hear of."""
        followed = (*self._watched.values(), *self._of_ranges.values())
        return any(watched.binding.state and watched.negotiated is not None for watched in followed)

    def signal(self, code: int, when: float) -> None:
        """Tell the helper that the daemon got a signal, where it wants to know."""
        for watched in self._watched.values():
            if watched.binding.signal:
                self._output([watched.renderer.signal(when, watched.counter, code)])
                watched.counter += 1
