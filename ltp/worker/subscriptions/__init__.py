"""From demand, results, watchlists and pins to the feed, and the table of it for those who look."""
