"""The lab router: a BGP peer on loopback that says what it hears, for people who try or debug the product."""
