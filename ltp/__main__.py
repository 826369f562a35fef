"""`python -m ltp`: the commands of `ltp.cli`."""

import sys

from ltp import processes
from ltp.cli.main import main

if __name__ == "__main__":
    processes.end_with_starter()
    sys.exit(main())
