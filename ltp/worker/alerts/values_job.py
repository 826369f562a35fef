"""Keeps the terms of rules fresh: the command that computes them runs when alerts or candles changed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from ltp.core.alerts.alert import MUTED, ON
from ltp.core.alerts.rule import parse_rule
from ltp.db import candles
from ltp.db.alerts import members, rules
from ltp.db.engine import Engine, reading
from ltp.errors import CriterionError, DatabaseError
from ltp.worker.command_job import CommandJob
from ltp.worker.subprocess_job import SubprocessJob

log = logging.getLogger(__name__)
COMMAND: Final = ("alerts", "values")
WITHIN_S: Final = 900.0
LOOK_EVERY_S: Final = 5.0
RETRY_S: Final = 300.0


class ValuesJob(CommandJob):
    """Without a rule that names a term it does nothing. For the arguments see CommandJob."""

    def __init__(
        self,
        engine: Engine,
        *,
        active: Callable[[], bool],
        command: SubprocessJob | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(command or SubprocessJob(within_s=WITHIN_S), active)
        self._engine, self._monotonic = engine, monotonic
        self._look_at = float("-inf")
        self._done: object = None  # the state of alerts and candles that the last run was started for
        self._started: object = None
        self._seen: object = None  # at the last look
        self._named: tuple[int, bool] | None = None  # number of changes, and whether any rule names a term

    def _start_if_due(self) -> None:
        if self._monotonic() < self._look_at:
            return
        self._look_at = self._monotonic() + LOOK_EVERY_S
        try:
            wanted = self._wanted()
        except DatabaseError as error:
            log.warning("The terms of alerts wait: %s", error)
            self._look_at = self._monotonic() + RETRY_S
            return
        # An import writes for several seconds: it has ended when two looks find the same.
        is_settled, self._seen = wanted == self._seen, wanted
        if wanted is None or wanted == self._done or not is_settled:
            return
        self._started = wanted
        try:
            self._command.start(list(COMMAND))
        except OSError as error:
            log.warning("The terms of alerts cannot be computed: %s", error.strerror)
            self._look_at = self._monotonic() + RETRY_S

    def _wanted(self) -> object:
        """Return the state that values are to be of, None where no rule names a term."""
        with reading(self._engine) as connection:
            version = members.inputs_in(connection)
            if self._named is None or self._named[0] != version.number:
                alerts = rules.all_in(connection)
                self._named = (
                    version.number,
                    any(_has_terms(each.terms.rule) for each in alerts if each.state in {ON, MUTED}),
                )
            return (version, candles.version_in(connection)) if self._named[1] else None

    def _note_end(self, status: int, last_line: str) -> None:
        if status == 0:
            self._done = self._started
            log.info("%s", last_line)
        else:
            self._look_at = self._monotonic() + RETRY_S
            log.warning("The terms of alerts were not computed: %s", last_line)


def _has_terms(rule: str) -> bool:
    try:
        return bool(parse_rule(rule).terms)
    except CriterionError:
        return False
