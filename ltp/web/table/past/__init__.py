"""What live columns need of earlier prices: closes of today, ranges of 52 weeks."""
