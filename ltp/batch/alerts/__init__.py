"""Terms of rules from daily candles, computed in a process of its own."""
