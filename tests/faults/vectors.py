"""The corpus of malformed messages, played over TCP against the running product.

Several sessions play at the same time, each case after case: the session is reused where a case leaves it up, and
comes back where it does not. What is judged is what a peer and a helper see: octets on the wire, lines of JSON.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from tests.faults.product import ADDRESS, Event, Lines, Product, neighbor, process
from tests.faults.wire import (
    FAMILIES,
    KEEPALIVE,
    NOTIFICATION,
    OPEN,
    Peer,
    announcement,
    dial_established,
    message,
    open_message,
    withdrawal,
)
from tests.routers.process import PATIENCE

Case = dict[str, Any]

LANES = 6  # sessions that share the cases of the usual context
CEASE = message(NOTIFICATION, bytes((6, 2)))
ATTRIBUTES = {
    1: "origin",
    2: "as-path",
    4: "med",
    5: "local-preference",
    6: "atomic-aggregate",
    7: "aggregator",
    8: "community",
    9: "originator-id",
    10: "cluster-list",
    16: "extended-community",
    25: "extended-community-ipv6",
    26: "aigp",
    32: "large-community",
    40: "bgp-prefix-sid",
}


def read_cases(path: Path) -> list[Case]:
    """Read the corpus."""
    return [json.loads(line) for line in path.read_text().splitlines()]


class Verdict(Struct):
    """What became of a case: the outcomes of the corpus that describe it, and what is wrong besides."""

    outcomes: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    seen: str = ""


class Events:
    """The helper's events by peer, filled by one thread while the sessions read."""

    def __init__(self, path: Path) -> None:
        self._lines = Lines(path)
        self._by_peer: dict[str, list[Event]] = {}
        self._stopped = threading.Event()
        self.failure: ValueError | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def of(self, peer: str) -> list[Event]:
        """Return the events of a peer so far; the list grows."""
        return self._by_peer.setdefault(peer, [])

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(0.01):
            try:
                for event in self._lines.new_events():
                    self.of(event["neighbor"]["address"]["peer"] if "neighbor" in event else "").append(event)
            except ValueError as error:
                self.failure = error
                return


def lanes_for(cases: Sequence[Case]) -> list[tuple[str, deque[Case]]]:
    """Spread the cases over peers (address, cases): one configuration of a session each."""
    contexts: dict[tuple[Any, ...], list[Case]] = {}
    for case in cases:
        context = case["context"]
        key = (context["dut_as"], context["peer_as"], *context["families"])
        contexts.setdefault(key, []).append(case)
    lanes: list[tuple[str, deque[Case]]] = []
    for group in contexts.values():
        shared: deque[Case] = deque(group)
        lanes += [(f"127.23.0.{len(lanes) + n + 1}", shared) for n in range(min(LANES, -(-len(group) // 10)))]
    return lanes


def configuration_for(lanes: Sequence[tuple[str, deque[Case]]], lines: Path) -> str:
    """Return the configuration of all lanes, with one helper that hears of all."""
    texts = [process("recorder", "recorder.py", lines)]
    for address, cases in lanes:
        context = cases[0]["context"]
        texts.append(
            neighbor(
                address,
                local_as=context["dut_as"],
                peer_as=context["peer_as"],
                families=tuple(context["families"]),
                helpers=("recorder",),
            )
        )
    return "".join(texts)


class Lane(threading.Thread):
    """One peer that plays cases."""

    def __init__(self, product: Product, address: str, cases: deque[Case], events: Events, number: int) -> None:
        super().__init__(daemon=True)
        self._product, self._address, self._cases = product, address, cases
        self._events = events.of(address)
        self._sentinels = (f"198.18.{number}.{count}/32" for count in range(256))
        self._peer: Peer | None = None
        self.verdicts: dict[str, Verdict] = {}
        self.failure = ""

    def run(self) -> None:
        """Play until no case is left."""
        name = ""
        try:
            while self._cases:
                try:
                    case = self._cases.popleft()
                except IndexError:
                    break
                name = case["name"]
                self.verdicts[name] = self._play(case)
            self._end()
        except (OSError, AssertionError) as error:
            self.failure = f"{name}: {error!r}"

    def _end(self) -> None:
        if self._peer is not None:
            self._peer.send(CEASE)
            self._peer.close()
            self._peer = None

    def _open(self, case: Case) -> bytes:
        context = case["context"]
        router_id = "10.0.0.254" if "same-bgpid" in case["name"] else "10.0.0.2"
        return open_message(context["peer_as"], router_id=router_id, families=context["families"])

    def _play(self, case: Case) -> Verdict:
        state = case["context"]["state"]
        established = state == "established"
        if not established:
            self._end()
            peer = self._connect(case)
        else:
            peer = self._peer or dial_established(self._address, self._product.target, self._open(case))
        self._peer = peer
        peer.messages.clear()
        start = len(self._events)
        octets = bytes.fromhex(case["hex"])
        internal = case["context"]["peer"] == "ibgp"
        path = [] if internal else [case["context"]["peer_as"]]
        sentinel = next(self._sentinels)
        if established:
            before = announcement([case["prefix"]], path, internal) if "prefix" in case else b""
            after = announcement([sentinel], path, internal)
        else:
            before = b""
            after = (message(KEEPALIVE) if state == "opensent" else b"") + withdrawal(sentinel)
        if state == "openconfirm" and case["hex"][36:38] != "01":
            before = self._open(case)
        peer.send(before + octets + after)
        return self._judge(case, peer, start, sentinel)

    def _connect(self, case: Case) -> Peer:
        """Connect and wait for their OPEN; the end of the session before may still be on its way."""
        deadline = time.monotonic() + PATIENCE
        while True:
            peer = Peer.dial(self._address, self._product.target)
            try:
                peer.wait(OPEN, 5)
            except TimeoutError:
                peer.close()
                assert time.monotonic() < deadline, "no OPEN came"
                time.sleep(0.02)
                continue
            return peer

    def _judge(self, case: Case, peer: Peer, start: int, sentinel: str) -> Verdict:
        """Wait for the sentinel or for the end of the session, and say what happened."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and not peer.closed:
            if any(sentinel in json.dumps(event) for event in self._events[start:]):
                break
            peer.poll(0.01)
        verdict = Verdict()
        if peer.closed:
            code = peer.notification
            verdict.outcomes.add(f"session-reset {code[0]}/{code[1]}" if code else "session-reset none")
            if peer.closed == "reset":
                verdict.faults.append("closed by RST, not FIN")
            peer.close()
            self._peer = None
            if not self._wait_down(start):
                verdict.faults.append("the helper was not told that the session went down")
        else:
            if time.monotonic() >= deadline:
                verdict.faults.append("neither the sentinel nor the end came")
            self._judge_routes(case, self._events[start:], verdict)
            if case["context"]["state"] != "established":
                self._end()
        verdict.seen = f"wire={peer.messages} events={self._events[start:]}"
        return verdict

    def _wait_down(self, start: int) -> bool:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if any(event["type"] == "state" and event["neighbor"]["state"] == "down" for event in self._events[start:]):
                return True
            time.sleep(0.01)
        return False

    def _judge_routes(self, case: Case, events: Sequence[Event], verdict: Verdict) -> None:
        prefix = case.get("prefix")
        updates = [each["neighbor"]["message"].get("update", {}) for each in events if each["type"] == "update"]
        if prefix is None:
            verdict.outcomes |= {"accept", "attribute-discard", "treat-as-withdraw"}
            return
        withdrawn = [update for update in updates if prefix in nlris(update.get("withdraw", {}))]
        announced = [update for update in updates if prefix in nlris(update.get("announce", {}))]
        last: dict[str, Any] = next(
            (update for update in reversed(updates) if update in withdrawn or update in announced), {}
        )
        if last in withdrawn:
            verdict.outcomes.add("treat-as-withdraw")
            if len(withdrawn) != 1:
                verdict.faults.append(f"the helper was told {len(withdrawn)} times that {prefix} is withdrawn")
            if last.get("attribute", {}).get("error") != "treat-as-withdraw":
                verdict.faults.append("the helper was not told why")
        elif last:
            verdict.outcomes.add("accept")
            if not has_attribute(last.get("attribute", {}), case.get("attr_code")):
                verdict.outcomes.add("attribute-discard")
            # Once well-formed and once in the case, where the session was there before the case.
            if len(announced) != 1 + (case["context"]["state"] == "established"):
                verdict.faults.append(f"the helper was told {len(announced)} times of {prefix}")


def nlris(families: dict[str, Any]) -> set[str]:
    """Return the NLRI in an `announce` or `withdraw` object."""
    found = set()
    for routes in families.values():
        for entries in [routes] if isinstance(routes, list) else routes.values():
            found |= {entry.get("nlri", "") for entry in entries}
    return found


def has_attribute(attributes: dict[str, Any], code: int | None) -> bool:
    """Tell whether an event shows an attribute."""
    if code is None:
        return False
    return any(key == ATTRIBUTES.get(code) or key.startswith(f"attribute-0x{code:02X}-") for key in attributes)


def faults_of(case: Case, verdict: Verdict | None) -> list[str]:
    """Say what is wrong with the outcome of a case; nothing where it is as the corpus says."""
    if verdict is None:
        return ["not played"]
    allowed = {case["expected"], *case.get("also_ok", ())}
    found = list(verdict.faults)
    if not allowed & verdict.outcomes and "survive" not in allowed:
        found.append(f"{sorted(verdict.outcomes)} instead of {sorted(allowed)}")
    return found


class Played(Struct):
    """A corpus that was played: verdicts by case, and what the product looked like before and after."""

    verdicts: dict[str, Verdict]
    failures: list[str]
    daemons_before: dict[str, int]
    daemons_after: dict[str, int]
    log: str
    seconds: float


def play(directory: Path, cases: Sequence[Case]) -> Played:
    """Start the product, play all cases, end it."""
    lines = directory / "lines"
    lines.touch()
    lanes = lanes_for(cases)
    product = Product(directory, configuration_for(lanes, lines))
    events = Events(lines)
    try:
        product.start()
        product.wait(lambda: product.log().count("helper started"), PATIENCE, "the helper")
        before = product.daemons()
        started = time.monotonic()
        threads = [Lane(product, *lane, events, number) for number, lane in enumerate(lanes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(300)
        seconds = time.monotonic() - started
        after, log = product.daemons(), product.log()
    finally:
        product.stop()
        events.stop()
    failures = [thread.failure for thread in threads if thread.failure]
    failures += ["a line of the helper was not JSON"] if events.failure else []
    failures += ["a thread did not end"] if any(thread.is_alive() for thread in threads) else []
    verdicts = {name: verdict for thread in threads for name, verdict in thread.verdicts.items()}
    return Played(verdicts, failures, before, after, log, seconds)


__all__ = ["ADDRESS", "FAMILIES", "Case", "Played", "faults_of", "play", "read_cases"]
