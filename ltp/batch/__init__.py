"""Work of a command or a child process: imports of files, and evaluations of screens."""
