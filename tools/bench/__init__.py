"""Benchmarks of the speaker beside ExaBGP and others, with an independent peer: `python -m tools.bench --help`."""
