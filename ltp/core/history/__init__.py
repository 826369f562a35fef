"""The history of a share: candles, corporate actions, renames, and plans followed session by session."""
