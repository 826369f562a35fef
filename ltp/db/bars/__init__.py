"""Bars of minutes in SQL beside `minute_bars`: what the tables of bars share, five-minute bars, which days there are and
stay, the coverage of the feed, minutes that differ from the broker's.
"""
