"""Watchlists: lists of instruments in an order, with sections, notes and flags."""
