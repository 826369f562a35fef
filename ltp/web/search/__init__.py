"""The search for an instrument: its page, and the suggestions while the words are typed."""
