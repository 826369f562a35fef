"""`python -m ltp alerts`: what people do with alerts is in `rules`; the terms of rules, for the worker."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

from ltp import settings as settings_module
from ltp.cli.alerts import channels, deliver, rules
from ltp.cli.progress import Stages
from ltp.core.counted import counted
from ltp.db.engine import open_engine


def add(commands: Any) -> None:
    """Register the commands on the program's sub-parsers."""
    actions = commands.add_parser("alerts", help="rules on live prices").add_subparsers(
        required=True, metavar="ACTION"
    )
    rules.add(actions)
    channels.add(actions)
    deliver.add(actions)
    values = actions.add_parser(
        "values", help="compute the terms of rules on the newest session, as the worker does"
    )
    values.set_defaults(command=_values)


def _values(_: argparse.Namespace) -> int:
    # Numpy and TA-Lib take a third of a second and 40 MB, which no other command should pay for.
    from ltp.batch.alerts.values import compute

    engine = open_engine(settings_module.load().database)
    with Stages() as stages:
        computed = compute(engine, datetime.now(UTC), stages)
    unknown = f", {computed.unknown:,} of them unknown" if computed.unknown else ""
    print(
        f"{counted(computed.values, 'value')} of terms for {counted(computed.instruments, 'instrument')}{unknown}."
    )
    return 0
