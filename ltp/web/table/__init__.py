"""A screener's table: its rows, columns, cells and files."""
