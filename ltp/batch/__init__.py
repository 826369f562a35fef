"""The work of commands, each in a process of its own: imports of files, and evaluations of screens."""
