"""The candle chart of an instrument: its parameters, its bars, its drawing and its table."""
