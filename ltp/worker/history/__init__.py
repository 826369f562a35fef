"""Jobs on stored history that pages request."""
