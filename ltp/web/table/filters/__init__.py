"""Filters of a table by the values of any column: `f=rsi>60`."""
