"""Rules without a price: a share enters or leaves the newest run of a screen, the feed is in trouble."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

from ltp.core.alerts.alert import EVENT, MARKET, Alert
from ltp.core.alerts.grammar import FEED_TROUBLE, LEAVES
from ltp.core.alerts.watch import Hit
from ltp.core.trading_day import IST
from ltp.db.alerts.states import State
from ltp.db.runs import RunHead
from ltp.worker.alerts.decider import Decider
from ltp.worker.alerts.remembered import Remembered
from ltp.worker.alerts.roster import Roster

TROUBLE_S: Final = 60.0  # a reconnect takes some seconds, and is no trouble
_US: Final = 1_000_000

RunKeys = Callable[[int], Sequence[str]]


class Events:
    """For the thread "alerts". It keeps in the states of alerts on no instrument until which run they have looked,
    and whether the present trouble of the feed is known.

    Args:
        run_keys: returns the keys of a run. Raises DatabaseError.
        trouble: returns why the feed brings no prices while the market trades, "" while it does.
        symbol: of a key.
    """

    def __init__(
        self,
        decider: Decider,
        seen: Remembered,
        run_keys: RunKeys,
        trouble: Callable[[], str],
        symbol: Callable[[str], str],
    ) -> None:
        self._decider, self._seen = decider, seen
        self._run_keys, self._trouble, self._symbol = run_keys, trouble, symbol
        self._trouble_since: float | None = None

    def compare_runs(self, roster: Roster, now: datetime) -> None:
        """Fire for the shares that entered or left screens since the last look. Raises DatabaseError."""
        if roster.sources is None:
            return
        for alert, slug, leaves in _on_screens(roster):
            heads = roster.sources.runs.get(slug, ())
            state = self._seen.of.get((alert.id, ""))
            # A new alert has seen the runs of the time before it.
            last = alert.changed_at if state is None or state.seen_at is None else state.seen_at
            if heads and heads[0].created_at > last:
                target = alert.terms.target
                among = None if target.kind == MARKET else frozenset(roster.sources.keys.get(target, ()))
                self._compare(alert, slug, heads, last, among, leaves=leaves)
                self._look_is_over(alert, heads[0].created_at)
            elif state is None:
                self._look_is_over(alert, now)
        self._decider.store()

    def look_at_feed(self, roster: Roster, now: float) -> None:
        """Fire once for each trouble that lasts, seconds since the epoch."""
        reason = self._trouble()
        if not reason:
            self._trouble_since = None
            self._rearm(roster)
            return
        if self._trouble_since is None:
            self._trouble_since = now
        if now - self._trouble_since < TROUBLE_S:
            return
        for alert in _on_feed(roster):
            state = self._seen.of.get((alert.id, ""))
            if state is None or state.is_armed:
                at = int(self._trouble_since) * _US
                hit = Hit(alert.id, alert.version, "", at, 0, EVENT)
                sentence = f"since {datetime.fromtimestamp(self._trouble_since, IST):%H:%M:%S}: {reason}"
                fired = self._decider.occur(alert, hit, "", sentence, phase=None)
                if not fired:
                    self._seen.put(State(alert.id, "", alert.version, False, fired_at=_fired_at(state)))
        self._decider.store()

    def _rearm(self, roster: Roster) -> None:
        for alert in _on_feed(roster):
            state = self._seen.of.get((alert.id, ""))
            if state is not None and not state.is_armed:
                self._seen.put(state._replace(is_armed=True))

    def _compare(
        self,
        alert: Alert,
        slug: str,
        heads: Sequence[RunHead],
        last: datetime,
        among: frozenset[str] | None,
        *,
        leaves: bool,
    ) -> None:
        """Compare the current run with the last one before an instant, for the shares `among` or for all."""
        current = heads[0]
        before = next((head for head in heads[1:] if head.created_at <= last and head.id < current.id), None)
        if before is None:
            return
        now, then = self._run_keys(current.id), self._run_keys(before.id)
        whole, rest = (then, frozenset(now)) if leaves else (now, frozenset(then))
        changed = [key for key in whole if key not in rest and (among is None or key in among)]
        at = int(current.created_at.timestamp() * _US)
        for key in changed:
            hit = Hit(alert.id, alert.version, key, at, 0, EVENT, volume=current.id)
            word = "left" if leaves else "entered"
            day = f" of {current.as_of:%d %b %Y}" if current.as_of else ""
            symbol = self._symbol(key)
            self._decider.occur(alert, hit, symbol, f"{symbol} {word} the screen {slug}{day}", phase=None)

    def _look_is_over(self, alert: Alert, at: datetime) -> None:
        state = self._seen.of.get((alert.id, ""))
        self._seen.put(State(alert.id, "", alert.version, True, at, None, _fired_at(state)))


def _fired_at(state: State | None) -> datetime | None:
    return None if state is None else state.fired_at


def _on_screens(roster: Roster) -> Iterator[tuple[Alert, str, bool]]:
    """Yield the alerts on changes of screens, each with the slug and whether it is on shares that leave."""
    for id_, alert in roster.alerts.items():
        event = roster.rules[id_].event
        if event is not None and event.screen:
            yield alert, event.screen, event.name == LEAVES


def _on_feed(roster: Roster) -> Iterator[Alert]:
    for id_, alert in roster.alerts.items():
        event = roster.rules[id_].event
        if event is not None and event.name == FEED_TROUBLE:
            yield alert
