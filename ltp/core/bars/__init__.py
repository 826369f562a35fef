"""Intraday bars: built from ticks minute by minute, and rolled up into longer timeframes."""
