"""What `show` prints, compared with what ExaBGP 5.0.15 printed for the same neighbors and routes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgpack
import pytest
from msgspec.structs import replace

from apid.compile import changes_of, compile_configuration
from apid.config.load import load_text
from apid.config.model import Configuration
from apid.config.options import Environment
from apid.control import session_view
from apid.control.commands import carry_out
from apid.control.jobs import Jobs
from bgp.attribute import AsPath, Communities, Med, Origin
from bgp.attribute.as_path import Segment
from bgp.family import IPV4_UNICAST
from bgp.negotiate import SessionFacts
from bgp.negotiated import Negotiated
from bgp.open import Open
from bgp.route import encode_set
from bgp.settings import SessionSettings
from bgp.settings_wire import facts_to_wire
from bus.schema import MESSAGE_LIMIT, RoutePage, SessionReply, pack
from tests.unit.control_stage import CONFIGURATION, Askers, Stage, StillLoop

FIRST, SECOND = "127.0.0.12", "127.0.0.13"
LOCAL, PEER = bytes((127, 0, 0, 11)), bytes((127, 0, 0, 12))

SUMMARY = """\
Peer            AS        up/down state       |     #sent     #recvd
127.0.0.12      65002     0:00:05 established          10          7
127.0.0.13      65003        down idle                  0          0
"""
EXTENSIVE = """\
Neighbor 127.0.0.12

    Session                       Local
   local                     127.0.0.11                                
   state                    ESTABLISHED                                
   up for                       0:00:05                                

    Setup                         Local          Remote
   AS                             65001           65002                
   ID                          10.0.0.1        10.0.0.2                
   hold-time                         30              30                

    Capability                    Local          Remote
   asn4:                        enabled         enabled                
   route-refresh:               enabled         enabled                
   multi-session:              disabled        disabled                
   operational:                 enabled         enabled                
   add-path:                    enabled         enabled                
   extended-message:            enabled         enabled                
   graceful-restart:            enabled         enabled                

    Families                      Local          Remote        Add-Path
   ipv4 unicast:                enabled         enabled send/receive   
   ipv4 mup:                    enabled         enabled disabled       
   ipv4 mpls-vpn:               enabled         enabled send/receive   
   ipv4 flow:                   enabled         enabled disabled       
   ipv6 unicast:                enabled         enabled send/receive   
   l2vpn vpls:                  enabled         enabled disabled       

    Message Statistic              Sent        Received
   open:                              1               1                
   notification:                      0               0                
   keepalive:                         1               1                
   update:                           10               7                
   refresh:                           0               0                
   total:                            12               9                

"""  # noqa: W291
ROUTES_OUT = """\
127.0.0.12 ipv4 unicast 10.2.1.0/24 next-hop 192.0.2.9
127.0.0.12 ipv4 unicast 10.2.2.0/24 path-information 1.2.3.4 next-hop 127.0.0.11
127.0.0.12 ipv4 mpls-vpn 10.5.0.0/24 label 200 next-hop 192.0.2.9 rd 65001:100
127.0.0.12 ipv4 flow flow destination-ipv4 10.9.0.0/24 destination-port [ =http =https ]
"""
ROUTES_JSON = """\
{"127.0.0.12": {"routes": [{"prefix": "10.2.1.0/24", "family": "ipv4 unicast"}]}}
{"127.0.0.12": {"routes": [{"prefix": "10.2.2.0/24", "family": "ipv4 unicast"}]}}
{"127.0.0.12": {"routes": [{"prefix": "10.5.0.0/24", "family": "ipv4 mpls-vpn"}]}}
"""
ROUTES_JSON_V2 = """\
{"peer": {"address": "127.0.0.12"}, "route": {"nlri": {"prefix": "10.2.1.0/24", "nexthop": "192.0.2.9", "family": {"afi": "ipv4", "safi": "unicast"}}, "attributes": {"med": 50, "community": ["65001:1"]}}}
{"peer": {"address": "127.0.0.12"}, "route": {"nlri": {"prefix": "10.5.0.0/24", "nexthop": "192.0.2.9", "family": {"afi": "ipv4", "safi": "mpls-vpn"}, "label": [[200]], "rd": "65001:100"}, "attributes": {}}}
"""  # noqa: E501
ROUTES_IN = """\
neighbor 127.0.0.12 local-ip 127.0.0.11 local-as 65001 peer-as 65002 router-id 10.0.0.1 family-allowed in-open \
ipv4 unicast 10.8.1.0/24 path-information 0.0.0.0 next-hop 192.0.2.9 origin igp as-path ( 65002 65010 ) med 50 \
community 65001:1
"""
STATIC = """
    static {
        route 10.2.1.0/24 next-hop 192.0.2.9 med 50 community [ 65001:1 ];
        route 10.2.2.0/24 next-hop self path-information 1.2.3.4;
        route 10.5.0.0/24 rd 65001:100 label 200 next-hop 192.0.2.9;
    }
    flow { route f { match { destination 10.9.0.0/24; destination-port [ =80 =443 ]; } then { discard; } } }
}
neighbor 127.0.0.13"""


def settings(router_id: int, local_as: int, peer_as: int, families: Any) -> SessionSettings:
    return SessionSettings(
        router_id=bytes((10, 0, 0, router_id)), local_as=local_as, peer_as=peer_as, hold_time=30, families=families,
        route_refresh=True, graceful_restart=60, add_path=3, operational=True,
    )  # fmt: skip


def context(stage: Stage) -> bytes:
    """Pack the OPENs of a session in which both sides offer the same."""
    families = stage.directory.neighbors[FIRST].settings.families
    sent, received = settings(1, 65001, 65002, families).open(), settings(2, 65002, 65001, families).open()
    assert isinstance(sent, Open)
    facts = facts_to_wire(SessionFacts(65001, 65002, LOCAL, PEER))
    octets: bytes = msgpack.packb([sent.message(), received.message(), facts])
    return octets


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """One session is up for five seconds, the other has no process that answers."""
    made = Stage(tmp_path)
    up = {
        "state": "up", "fsm": "ESTABLISHED", "since": 1000.0, "context": context(made),
        "sent": {"1": 1, "4": 1, "2": 10}, "received": {"1": 1, "4": 1, "2": 7}, "prefixes": [[1, 1, 1]],
        "last_error": "", "last_error_at": 0.0,
    }  # fmt: skip
    made.replies["status"] = lambda name, _: SessionReply(1, name, "", up) if name == FIRST else None
    monkeypatch.setattr(session_view.time, "time", lambda: 1005.4)
    return made


def show(stage: Stage, line: str) -> str:
    lines, error = stage.play(carry_out(stage.context, "", line))
    assert error == ""
    return "".join(f"{line}\n" for line in lines)


def test_summary_lists_every_neighbor_up_or_not(stage: Stage) -> None:
    assert show(stage, "show neighbor summary") == SUMMARY


def test_an_address_that_nobody_has_gives_an_empty_table(stage: Stage) -> None:
    assert show(stage, "show neighbor 9.9.9.9 summary") == SUMMARY.splitlines(keepends=True)[0]


def test_without_a_form_there_are_hints(stage: Stage) -> None:
    assert show(stage, "show neighbor").startswith("please specify summary, extensive or configuration\n")


def test_extensive_is_what_exabgp_prints(stage: Stage) -> None:
    assert show(stage, f"show neighbor {FIRST} extensive") == EXTENSIVE


def test_a_session_without_an_answer_says_why(stage: Stage) -> None:
    shown = show(stage, f"show neighbor {SECOND} extensive")
    assert "its process does not answer" in shown
    assert "   hold-time                        180             n/a                \n" in shown


def test_json_has_the_members_of_exabgp(stage: Stage) -> None:
    first, second = json.loads(show(stage, "show neighbor json"))
    assert (first["state"], first["duration"], first["fsm"]) == ("up", 5, "ESTABLISHED")
    assert first["peer"] == {
        "capabilities": {**dict.fromkeys(first["local"]["capabilities"], True), "multi-session": False},
        "families": dict.fromkeys(first["local"]["families"], True),
        "add-path": first["local"]["add-path"], "address": FIRST, "as": 65002, "id": "10.0.0.2", "hold": 30,
    }  # fmt: skip
    assert first["local"]["add-path"] == {
        "ipv4 unicast": True, "ipv4 mup": False, "ipv4 mpls-vpn": True, "ipv4 flow": False, "ipv6 unicast": True,
        "l2vpn vpls": False,
    }  # fmt: skip
    assert first["messages"]["sent"] == {
        "open": 1, "notification": 0, "keepalive": 1, "update": 10, "refresh": 0, "total": 12,
    }  # fmt: skip
    assert first["add-path"]["ipv4 unicast"] == "send/receive"
    assert (second["state"], second["fsm"], second["families"]) == ("down", "IDLE", [])
    assert second["peer"]["capabilities"]["asn4"] is None
    assert second["peer"]["families"] == {"ipv4 unicast": None}


def test_a_session_that_is_back_still_tells_what_ended_the_last_one_and_when(stage: Stage) -> None:
    up = stage.replies["status"](FIRST, [])
    assert up is not None
    up.data.update(last_error="6/4, back at noon", last_error_at=940.0)
    assert "   last error           0:01:05 ago: 6/4, back at noon\n" in show(stage, f"show neighbor {FIRST} extensive")
    [first] = json.loads(show(stage, f"show neighbor {FIRST} json"))
    assert (first["last-error"], first["last-error-time"]) == ("6/4, back at noon", 940.0)


def test_the_number_of_routes_that_are_not_kept_is_not_known(stage: Stage) -> None:
    known = stage.directory.neighbors[FIRST]
    configuration = replace(known.configuration, adj_rib_in=False)
    stage.directory.neighbors[FIRST] = replace(known, configuration=configuration)
    [first] = json.loads(show(stage, f"show neighbor {FIRST} json"))
    assert first["prefixes"]["received"] is None


def test_a_configuration_that_is_shown_can_be_loaded_again(stage: Stage) -> None:
    shown = show(stage, "show neighbor configuration")
    again = load_text("process p { run /bin/cat; encoder json; }\n" + shown, {"PATH": "/bin"})
    before = load_text(CONFIGURATION, {"PATH": "/bin"})
    for old, new in zip(before.neighbors, again.neighbors, strict=True):
        assert (old.peer_address, old.families, old.capability) == (new.peer_address, new.families, new.capability)
        assert [block.processes for block in old.api] == [block.processes for block in new.api]
        assert old.api[0].receive == new.api[0].receive if old.api else True


def test_whether_what_was_sent_is_kept_is_shown(tmp_path: Path) -> None:
    stage = Stage(tmp_path, CONFIGURATION.replace("peer-as 65003;", "peer-as 65003; adj-rib-out false;"))
    shown = show(stage, "show neighbor configuration")
    again = load_text("process p { run /bin/cat; encoder json; }\n" + shown, {"PATH": "/bin"})
    assert [each.adj_rib_out for each in again.neighbors] == [True, False]


EVERYTHING = """
neighbor 127.0.0.12 {
    router-id 10.0.0.1; local-address 127.0.0.11; local-as 65001; peer-as 65002;
    md5-password PASSWORD
    send-hold-time 600; end-of-rib-wait 7; rate-limit 5; flow-limit 9; incoming-ttl 254; source-interface "a b";
    capability { operational; }
    family { ipv4 unicast; ipv6 unicast; }
    maximum-prefix {
        ipv4 unicast 7; ipv6 unicast 1000 warn 33 restart 60;
    }
    operational {
        asm afi ipv4 safi unicast advisory "one \\"quoted\\" word";
        adm afi ipv4 safi unicast advisory hi;
        asm afi ipv6 safi unicast advisory three;
        rpcp afi ipv4 safi unicast router-id 10.0.0.9 sequence 4 counter 5;
    }
}
"""


@pytest.mark.parametrize(
    "password", [r'"with \" quotes and \\ $ {; }";', "plain;", '"//79/A=="; md5-base64 true;', '"\\n";']
)
def test_all_that_limits_a_neighbor_and_its_password_are_shown(tmp_path: Path, password: str) -> None:
    text = EVERYTHING.replace("PASSWORD", password)
    stage = Stage(tmp_path, text)
    (before,) = load_text(text, {}).neighbors
    (after,) = load_text(show(stage, "show neighbor configuration"), {}).neighbors
    for name in (
        "md5_password", "send_hold_time", "end_of_rib_wait", "rate_limit", "incoming_ttl", "source_interface",
        "prefix_limits", "flow_limit",
    ):  # fmt: skip
        assert getattr(after, name) == getattr(before, name), name
    applied = [compile_configuration(Configuration((each,)), Environment(), "") for each in (before, after)]
    operational = [each.peerds["peerd-127.0.0.12"].sessions[0]["operational"] for each in applied]
    assert operational[0] == operational[1]
    assert len(operational[0]) == 4


def with_routes(stage: Stage) -> None:
    """Have ribd hold the routes of the sample, in two pages."""
    text = CONFIGURATION.partition("    static")[0] + STATIC + CONFIGURATION.partition("neighbor 127.0.0.13")[2]
    routes = load_text(text, {"PATH": "/bin"}).neighbors[0].routes
    rows = [[afi, safi, octets, item] for afi, safi, octets, items in changes_of(routes) for item in items]
    stage.pages = [RoutePage(1, FIRST, 1, rows[:2]), RoutePage(1, FIRST, -1, rows[2:])]


def test_routes_out_are_what_exabgp_prints(stage: Stage) -> None:
    with_routes(stage)
    assert show(stage, f"show adj-rib out {FIRST}") == ROUTES_OUT


def test_a_filter_chooses_families(stage: Stage) -> None:
    with_routes(stage)
    assert show(stage, f"show adj-rib out {FIRST} flow") == ROUTES_OUT.splitlines(keepends=True)[-1]
    assert show(stage, f"show adj-rib out {FIRST} inet") == "".join(ROUTES_OUT.splitlines(keepends=True)[:-1])


def test_routes_as_json_are_what_exabgp_prints_and_the_others_besides(stage: Stage) -> None:
    with_routes(stage)
    lines = show(stage, f"show adj-rib out {FIRST} json").splitlines(keepends=True)
    assert "".join(lines[:3]) == ROUTES_JSON
    assert json.loads(lines[3])[FIRST]["routes"][0]["family"] == "ipv4 flow"


def test_the_second_json_format_is_what_exabgp_prints(stage: Stage) -> None:
    with_routes(stage)
    stage.context.routes_format = "v2"
    lines = show(stage, f"show adj-rib out {FIRST} json").splitlines(keepends=True)
    assert lines[0] + lines[2] == ROUTES_JSON_V2
    flow = json.loads(lines[3])["route"]
    assert flow["nlri"]["rules"]["destination-port"] == ["=http", "=https"]
    assert (flow["nlri"]["nexthop"], flow["nlri"]["rd"]) == (None, None)
    assert flow["attributes"] == {"extended-community": ["rate-limit:0"]}


def test_a_next_hop_that_the_session_decides_is_shown_as_self(tmp_path: Path) -> None:
    stage = Stage(tmp_path, CONFIGURATION.replace("local-address 127.0.0.11", "local-address auto"))
    octets = encode_set([Origin(0)], b"")
    stage.pages = [RoutePage(1, FIRST, -1, [[*IPV4_UNICAST, octets, bytes(4) + b"\x08\x0a"]])]
    assert show(stage, f"show adj-rib out {FIRST}") == "127.0.0.12 ipv4 unicast 10.0.0.0/8 next-hop self\n"


def test_ribd_that_does_not_answer_is_an_error(stage: Stage) -> None:
    assert stage.play(carry_out(stage.context, "", "show adj-rib out"))[1] == "ribd does not answer"


def test_routes_in_are_read_in_the_context_of_their_session(stage: Stage) -> None:
    negotiated = Negotiated()
    path = AsPath((Segment(2, (65002, 65010)),))
    octets = b"".join(
        bytes((attribute.FLAGS, attribute.CODE, len(value))) + value
        for attribute in (Origin(0), path, Med(50), Communities((65001 << 16 | 1,)))
        for value in [attribute.encode(negotiated)]
    )
    row = [*IPV4_UNICAST, octets, bytes((192, 0, 2, 9)), bytes(4) + bytes.fromhex("180a0801")]
    stage.replies["routes-in"] = lambda name, _: SessionReply(1, name, "", {"rows": [row], "after": -1})
    assert show(stage, "show adj-rib in extensive") == ROUTES_IN
    assert [each for each in stage.asked if each[1] == "routes-in"] == [(FIRST, "routes-in", ["0", "5000"])]


def test_neighbors_as_json_fit_the_bus_however_many_there_are(stage: Stage) -> None:
    loop, askers = StillLoop(), Askers()
    first = stage.directory.neighbors[FIRST]
    more = [first.at(f"10.0.0.{number}") for number in range(250)]
    stage.directory.neighbors |= {known.name: known for known in more}
    reply = stage.replies["status"]
    stage.replies["status"] = lambda _name, arguments: reply(FIRST, arguments)
    jobs = Jobs(loop, askers.deliver, stage.context.log)  # type: ignore[arg-type]
    jobs.start(b"a", 1, carry_out(stage.context, "", "show neighbor json"))
    loop.run()
    assert max(len(pack(answer)) for answer in askers.answers[b"a"]) < MESSAGE_LIMIT / 256
    (line,) = askers.lines(b"a")
    assert len(line) > MESSAGE_LIMIT / 256
    assert len(json.loads(line)) == 252
