"""One-minute bars from files into SQL."""
