"""Frames of the broker, captured as they came: the file, the thread that writes it, the way back to ticks."""
