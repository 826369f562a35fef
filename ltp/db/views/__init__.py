"""Named views of tables: sets of columns, order, filters and groups under a name."""
