"""Files that people and exchanges write: bytes to rows, or one sentence that names file, line and column."""
