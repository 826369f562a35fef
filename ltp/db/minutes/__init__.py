"""What is known about one-minute bars beside the bars: the coverage of the feed, and minutes that differ."""
