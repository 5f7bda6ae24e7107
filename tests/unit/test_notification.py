"""NOTIFICATIONs: octets, names, shutdown communications and hard resets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgp.errors import NotifyError
from bgp.notification import (
    Notification,
    code_name,
    printable,
    shutdown_data,
    shutdown_text,
    subcode_name,
)
from tests.unit.session_vectors import plain, rows

ROWS = rows("notification")


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_golden_notification_works_in_both_directions(row: dict[str, Any]) -> None:
    octets = bytes.fromhex(row["hex"])
    notification = Notification.decode(octets)
    assert plain(notification) == row["value"]
    assert notification.encode() == octets
    assert notification.message()[19:] == octets


@pytest.mark.parametrize("octets", [b"", b"\x06"])
def test_a_body_under_two_octets_is_a_bad_length(octets: bytes) -> None:
    with pytest.raises(NotifyError) as raised:
        Notification.decode(octets)
    assert (raised.value.code, raised.value.subcode) == (1, 2)


@given(st.binary(min_size=2, max_size=300))
def test_any_two_octets_or_more_are_a_notification_that_can_be_described(octets: bytes) -> None:
    notification = Notification.decode(octets)
    assert notification.encode() == octets
    assert str(notification).isprintable()


@given(st.text())
def test_a_shutdown_text_survives_up_to_255_octets(text: str) -> None:
    data = shutdown_data(text)
    assert len(data) == 1 + data[0] <= 256
    sent = text.encode("utf-8", "replace").decode()
    found = shutdown_text(data)
    assert (found or "") == (sent if len(sent.encode()) <= 255 else sent[: len(found or "")])


TEXTS = [
    ("none", "", None),
    ("length 0", "00", None),
    ("128 octets of UTF-8", "80" + "c3a9" * 64, "é" * 64),
    ("longer than what came", "ff6161", None),
    ("not UTF-8", "02ff61", None),
    ("octets after it", "02616162", "aa"),
]


@pytest.mark.parametrize(("octets", "expected"), [row[1:] for row in TEXTS], ids=[row[0] for row in TEXTS])
def test_a_shutdown_communication_is_text_or_nothing(octets: str, expected: str | None) -> None:
    assert Notification(6, 2, bytes.fromhex(octets)).communication == expected
    assert Notification(6, 3, bytes.fromhex(octets)).communication is None


def test_what_a_stranger_wrote_cannot_break_a_log_line() -> None:
    text = str(Notification(6, 2, shutdown_data('\n{"type":"x"}\x1b[')))
    assert text == '6/2 Cease, Administrative Shutdown: "\\n{"type":"x"}\\x1b["'
    assert printable("é\r") == "é\\r"


def test_a_hard_reset_tells_what_it_holds() -> None:
    reset = Notification(6, 9, bytes.fromhex("060203616263"))
    assert reset.hard_reset == Notification(6, 2, b"\x03abc")
    assert str(reset) == '6/9 Cease, Hard Reset (6/2 Cease, Administrative Shutdown: "abc")'
    assert Notification(6, 9, b"\x06").hard_reset is None
    assert Notification(6, 4, b"\x06\x02").hard_reset is None


def test_a_cease_carries_text_as_its_subcode_wants() -> None:
    assert Notification.cease(4, "Administrative Reset").encode().hex() == (
        "06041441646d696e697374726174697665205265736574"
    )
    assert Notification.cease(3, "Peer De-configured").data == b"Peer De-configured"
    assert Notification.cease(7) == Notification(6, 7)
    assert Notification.cease(1, "Maximum Number of Prefixes Reached") == Notification(6, 1)
    assert Notification.cease(9, "Hard Reset").hard_reset == Notification(6, 4)


def test_data_that_would_exceed_a_message_is_cut() -> None:
    assert len(Notification(7, 1, bytes(5000)).message()) == 4096


NAMES = [
    (1, 2, "Message Header Error", "Bad Message Length"),
    (2, 11, "OPEN Message Error", "Role Mismatch"),
    (5, 3, "Finite State Machine Error", "Receive Unexpected Message in Established State"),
    (6, 10, "Cease", "BFD Down"),
    (7, 1, "ROUTE-REFRESH Message Error", "Invalid Message Length"),
    (8, 0, "Send Hold Timer Expired", "Unspecific"),
    (6, 99, "Cease", "Subcode 99"),
    (99, 1, "Error 99", "Subcode 1"),
]


@pytest.mark.parametrize(("code", "subcode", "name", "subname"), NAMES)
def test_codes_and_subcodes_have_names(code: int, subcode: int, name: str, subname: str) -> None:
    assert code_name(code) == Notification(code, subcode).name == name
    assert subcode_name(code, subcode) == Notification(code, subcode).subcode_name == subname
