"""Tools for people who work on the project; run as `python -m tools.NAME`, never shipped."""
