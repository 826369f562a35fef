"""SQL through SQLAlchemy Core: schema, instruments, screener runs."""
