"""The words of the market and their rules: pure values, standard library only, no clock, socket or thread of
their own.
"""
