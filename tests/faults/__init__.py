"""Faults from outside: hostile peers, helpers and bus clients against the running product."""
