"""What only root can try: left out without root, except under CI, where the test runs and fails."""

from __future__ import annotations

import os

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0 and os.environ.get("CI") != "true", reason="only root can do this")
