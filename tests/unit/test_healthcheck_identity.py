"""Whom the health check becomes."""

from __future__ import annotations

import pytest

from apid.healthcheck.identity import drop_privileges
from apid.healthcheck.options import OptionError


@pytest.mark.parametrize("name", ["nobody-of-this-name", "\u00b2", "9" * 30, "9" * 5000], ids=len)
def test_a_user_or_group_that_cannot_be_is_an_error_of_the_option(name: str) -> None:
    with pytest.raises(OptionError, match="there is no such user"):
        drop_privileges(name, "")
    with pytest.raises(OptionError, match="there is no such group"):
        drop_privileges("", name)
