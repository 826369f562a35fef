"""`/candles`: the stored history, and jobs on it."""
