"""The message bus: catalogue (`schema`), transport (`transport`), event broker and what every daemon shares.

Routes and BGP messages are opaque octets here.
"""
