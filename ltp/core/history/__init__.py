"""A share's past: candles, corporate actions and renames."""
