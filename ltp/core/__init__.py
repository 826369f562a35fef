"""The values of the market and their rules: standard library only; no clock, socket, thread or randomness."""
