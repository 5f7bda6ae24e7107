"""In which form a helper is told of messages: what `receive` and `send` say, as ExaBGP takes them."""

from __future__ import annotations

import pytest

from apid.bridge.feeds import Watched
from apid.compile import compile_configuration
from apid.config.load import load_text
from apid.config.options import Environment
from apid.render.envelope import ProcessContext
from apid.render.form import Form
from bus.settings import ApiBinding, HelperConfiguration

TEXT = """
process feed { run /bin/cat; encoder json; }
neighbor 192.0.2.1 { router-id 10.0.0.1; local-address 192.0.2.9; local-as 65001; peer-as 65002;
    api { processes [ feed ]; receive { %s update; } send { %s update; } } }
"""


@pytest.mark.parametrize(
    ("words", "received", "sent"),
    [
        ("parsed;", Form.PARSED, Form.PARSED),
        ("packets;", Form.PACKETS, Form.PACKETS),
        ("consolidate;", Form.CONSOLIDATE, Form.PARSED),
        ("consolidate; packets;", Form.CONSOLIDATE | Form.PACKETS, Form.PARSED | Form.CONSOLIDATE | Form.PACKETS),
    ],
)
def test_what_is_sent_has_its_octets_beside_it_only_with_packets(words: str, received: int, sent: int) -> None:
    compiled = compile_configuration(load_text(TEXT % (words, words), {}), Environment(), "test")
    helper = HelperConfiguration.from_wire(compiled.helpers["feed"].helper)
    [binding] = map(ApiBinding.from_wire, helper.bindings)
    watched = Watched(binding, helper, ProcessContext("host", 1, 1))
    assert (watched.received_form, watched.sent_form) == (received, sent)
