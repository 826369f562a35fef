"""SQL through SQLAlchemy Core: instruments, candles, corporate actions, saved screens and runs."""
