"""BGP-4 as a pure library: codecs, framing, the session state machine and message packing.

Nothing here opens a socket, reads a clock, logs or sleeps. Addresses are packed octets (4 or 16) everywhere.
"""
