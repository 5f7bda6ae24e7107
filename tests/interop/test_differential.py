"""The same configuration and commands to ExaBGP and to us: what the peers are sent must be the same octets."""

from __future__ import annotations

import pytest

from tests.interop.conftest import require
from tests.routers.exabgp import ExaBgp
from tests.routers.process import free_port
from tools.differential.__main__ import compare, compare_forms
from tools.differential.generate import FAMILIES, cases
from tools.differential.run import Case, Plan
from tools.differential.sessions import CASES

SEED = 20
COUNT = 60


@pytest.fixture(autouse=True)
def oracle() -> None:
    """Do nothing without ExaBGP."""
    require(ExaBgp)


def differences(made: list[Case], quiet: float = 1.0, order: bool = False) -> str:
    """Return what differs between the speakers, as text."""
    found = compare(Plan(made, quiet=quiet), (free_port(), free_port()), order)
    return "\n".join(str(each) for each in found)


def test_routes_of_every_family_are_encoded_alike() -> None:
    made: list[Case] = []
    for number, family in enumerate(FAMILIES):
        chosen = cases(family, SEED, COUNT)
        # Two kinds of neighbor for each family, so that all are met in one run.
        made += [chosen[number % len(chosen)], chosen[(number + 3) % len(chosen)]]
    assert not differences(made)


def test_sessions_send_the_same_messages_in_the_same_order() -> None:
    assert not differences(list(CASES), quiet=4.0, order=True)  # on a busy machine sessions come back late


def test_forms_of_every_word_are_taken_and_told_alike() -> None:
    """Every eighth line of the file: what is sent and answered, and the JSON of those UPDATEs received."""
    found, count = compare_forms([free_port() for _ in range(4)], step=8, first=SEED % 8)
    assert not "\n".join(str(each) for each in found)
    assert count > 50
