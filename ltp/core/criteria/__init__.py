"""The criteria of custom screens: text to a tree of nodes, and back to one canonical text."""
