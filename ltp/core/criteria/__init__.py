"""The criteria of a custom screen: text to a tree of nodes, and back to one canonical text."""
