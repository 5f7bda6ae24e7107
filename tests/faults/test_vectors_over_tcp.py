"""Every case of the corpus of malformed messages, over TCP, as a peer and a helper see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.product import Lines, Product, neighbor, process
from tests.faults.vectors import Case, Played, faults_of, play, read_cases
from tests.faults.wire import announcement, dial_established, message, open_message
from tests.routers.process import PATIENCE
from tests.shared import ROOT, shared

pytestmark = pytest.mark.system

CORPUS = ROOT.parent / "shared" / "vectors" / "vectors.jsonl"
CASES = read_cases(CORPUS) if CORPUS.exists() else []
BEHIND = 4 * 1024 * 1024  # octets that the speaker has not read when it closes


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory.mktemp("vectors"), CASES)


def test_the_corpus_is_there() -> None:
    shared("vectors/vectors.jsonl")
    assert len(CASES) == 193


@pytest.mark.skipif(not CASES, reason="the corpus is missing")
def test_every_case_was_played_and_no_process_died(played: Played) -> None:
    assert not played.failures
    assert len(played.verdicts) == len(CASES)
    assert played.daemons_after == played.daemons_before
    assert "Traceback" not in played.log


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_case_ends_as_the_corpus_says(played: Played, case: Case) -> None:
    verdict = played.verdicts.get(case["name"])
    assert not faults_of(case, verdict), verdict.seen if verdict else ""


def test_a_notification_arrives_although_much_was_sent_behind_the_error(tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    lines.touch()  # the recorder appends, and may start after the first look
    text = process("recorder", "recorder.py", lines) + neighbor("127.23.1.1", helpers=("recorder",))
    with Product(tmp_path, text) as product:
        peer = dial_established("127.23.1.1", product.target, open_message(65001))
        peer.send(announcement(["10.0.0.0/24"], [65001]) + message(6))
        filler = message(4) * (65536 // 19)
        sent = 0
        while sent < BEHIND and peer.send(filler):
            sent += len(filler)
        assert peer.wait_closed(PATIENCE)
        assert peer.notification == (1, 3)
        product.wait(lambda: b'"down"' in lines.read_bytes(), PATIENCE, "the helper to hear of it")
        states = [event for event in Lines(lines).new_events() if event["type"] == "state"]
        assert [event["neighbor"]["state"] for event in states][-1] == "down"
