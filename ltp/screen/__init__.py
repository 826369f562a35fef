"""Screens: indicators, facts, criteria, strategies and plans, as pure functions on arrays of candles."""
