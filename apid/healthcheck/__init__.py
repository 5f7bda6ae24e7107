"""A helper program that checks a service and announces or withdraws its addresses: `bgpbus healthcheck`.

`machine` decides (pure), `lines` words what is printed, `runner` does it; the other modules are its hands.
"""
