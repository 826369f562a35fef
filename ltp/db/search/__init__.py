"""The search over the instrument master, in memory: its texts, its words, and the rows that match a query."""
