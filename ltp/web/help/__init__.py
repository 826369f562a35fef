"""`/help`: the states of prices, the columns and the keys."""
