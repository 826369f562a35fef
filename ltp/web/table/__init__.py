"""The table of a screener: columns, rows, cells, order, and its files."""
