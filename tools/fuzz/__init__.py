"""Feed everything that reads strangers' octets or people's text with damage, and watch what it does.

`python -m tools.fuzz` runs for a while and prints what it finds, each as a row for tests/golden/findings.jsonl.
"""
