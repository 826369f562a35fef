"""`python -m bench [CASE...] [--rounds N] [--seconds S]`: measure, print the table, write
docs/performance.md.

A CASE is a name of `--list`, or the beginning of one. The pages and results.json are written only after a run
of everything.
"""

from __future__ import annotations

import argparse
import sys
import time

from bench import cases, report, smoke, table
from bench.model import Case, Scale
from bench.rounds import measure


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.5, help="of measuring in one turn (2.5)")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    parser.add_argument(
        "--smoke", action="store_true", help="few browsers, one round: is everything delivered? No figures"
    )
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(case.name for case in cases.EVERY))
        return 0
    chosen = _chosen(arguments.cases)
    if arguments.smoke:
        return smoke.run(chosen)
    began = time.monotonic()
    results = [measure(case, arguments.rounds, Scale(arguments.seconds), _tell) for case in chosen]
    minutes = (time.monotonic() - began) / 60
    _tell(f"measured in {minutes:.0f} minutes")
    print(table.plain_text(table.entries(results)))
    if not arguments.cases:
        report.write(results, rounds=arguments.rounds, seconds=arguments.seconds, minutes=minutes)
    return 0


def _chosen(names: list[str]) -> list[Case]:
    for name in names:
        if not any(case.name.startswith(name) for case in cases.EVERY):
            sys.exit(f"No case begins with {name!r}; --list prints them")
    return [case for case in cases.EVERY if not names or any(case.name.startswith(name) for name in names)]


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
