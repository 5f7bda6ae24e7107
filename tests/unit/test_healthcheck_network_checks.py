"""The checks that ask over the network, where they cannot even ask."""

from __future__ import annotations

from apid.healthcheck import http_check
from apid.healthcheck.network_checks import check_dns, check_tcp
from apid.healthcheck.options import CheckOptions


def test_a_host_whose_name_cannot_be_is_what_went_wrong() -> None:
    assert "label empty or too long" in check_tcp("a..b", 80, 1.0)
    assert "label empty or too long" in check_dns("www.example.com", "a..b", 53)
    assert "label empty or too long" in http_check.make(CheckOptions(http="http://a..b/"))()
