"""Bars of minutes in SQL: what their tables have in common, five-minute bars, which days there are and stay."""
