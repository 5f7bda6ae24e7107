"""docs/bus.md says what bus/schema says, and the topics are those that are published."""

from __future__ import annotations

import re

import pytest

from bus.schema import KINDS, TOPICS, Message
from tests.shared import ROOT
from tools.busdoc import TARGET, described, document, type_words

CATALOGUE = [KINDS[kind] for kind in sorted(KINDS)]


def test_the_document_is_what_the_generator_writes() -> None:
    assert TARGET.read_text() == document(), "run `python -m tools.busdoc`"


@pytest.mark.parametrize("cls", CATALOGUE, ids=lambda cls: cls.__name__)
def test_every_message_has_a_route_a_meaning_and_words_for_its_types(cls: type[Message]) -> None:
    summary, said = described(cls)
    assert "→" in cls.ROUTE or cls.ROUTE.endswith("(file)")
    assert summary.endswith((".", ")"))
    assert said.keys() <= set(cls.__struct_fields__)
    for name in cls.__struct_fields__:
        assert type_words(cls.__annotations__[name])


def test_the_topics_in_the_catalogue_are_those_that_the_daemons_publish() -> None:
    published = set()
    for folder in ("apid", "bus", "peerd", "ribd"):
        for path in (ROOT / folder).rglob("*.py"):
            published |= set(re.findall(r'(?:publish\(\s*|topic = )f?"([a-z]+)', path.read_text()))
    assert published == {topic.split("/")[0] for topic in TOPICS}
