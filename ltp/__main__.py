"""`python -m ltp`: the commands of `ltp.cli`."""

import sys

from ltp.cli import main

if __name__ == "__main__":
    sys.exit(main())
