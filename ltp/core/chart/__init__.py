"""The geometry of price charts: heights of prices, rectangles of candles, round prices, places on the axis."""
