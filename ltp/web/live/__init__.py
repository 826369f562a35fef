"""The updates of open pages: streams, polls, the status line, and the demand for what they show."""
