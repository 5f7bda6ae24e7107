"""Real routers on loopback, each behind the same small interface, and the speaker that is tested against them."""
