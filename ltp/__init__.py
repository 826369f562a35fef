"""Live prices of Indian markets: one broker connection, any number of browsers."""
