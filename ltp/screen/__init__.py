"""What a share's candles say: indicators, facts, criteria, strategies and plans. Pure functions on arrays; no
SQL, no clock.
"""
