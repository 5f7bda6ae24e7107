"""Damaged configurations: whatever stands in a file, the answer is a configuration or its errors."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from apid.config.errors import ConfigurationError, ConfigurationErrors
from tests.unit.config_dump import GOLDEN, compiled

TEXTS = [path.read_text(encoding="utf-8") for path in sorted(GOLDEN.glob("*.conf"))]
PIECES = ["{", "}", ";", "[", "]", "(", ")", ",", '"', "'", "#", "\\", "\n", "${", "${PEER}", " ", "0", "neighbor", "é"]


def problems_of(text: str) -> list[ConfigurationError]:
    try:
        return list(compiled(text).warnings)
    except ConfigurationErrors as errors:
        return errors.errors


def check(text: str) -> None:
    for problem in problems_of(text):
        assert problem.line >= 0
        assert problem.message
        assert problem.message in str(problem)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(TEXTS), st.floats(0, 1), st.integers(0, 30), st.sampled_from(PIECES))
def test_a_file_with_a_piece_replaced_gives_a_configuration_or_errors(
    text: str, where: float, removed: int, piece: str
) -> None:
    start = int(where * len(text))
    check(text[:start] + piece + text[start + removed :])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([*PIECES, "static", "route", "family", "api", "process", "10.0.0.0/8", "inherit"])))
def test_words_in_any_order_give_a_configuration_or_errors(words: list[str]) -> None:
    check(" ".join(words))


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_any_text_gives_a_configuration_or_errors(text: str) -> None:
    check(text)
