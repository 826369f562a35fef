"""Parsers of files from exchanges and users: bytes to rows, or an error that names file, line and column."""
