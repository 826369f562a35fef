"""The rules of all alerts against every packet of the feed.

A rule fires when it is met and was not met before. Of an instrument the price is compared with the two nearest
levels, so most packets cost one look. A day high (low) that rose (fell) since the packet before proves a trade
that no packet carried: it meets a level as a packet does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from ltp.core.alerts.entry import Entry, Watched
from ltp.core.alerts.judge import judge, judge_general
from ltp.core.alerts.level import Level
from ltp.core.alerts.packet import read_packet
from ltp.core.alerts.reading import compile_general, reading
from ltp.core.alerts.watch import Blind, Gap, Hit, Memory, Reading, Watch
from ltp.core.ticks.tick import TickFields
from ltp.core.trading_day import days_since_1970

MAX_GAPS: Final = 5_000  # an instrument more is not asked for after a reconnect
_US: Final = 1_000_000


class RuleBook:
    """The feed's thread calls `connected`, `disconnected` and `take`, any other thread the rest. The lock is held
    for one batch of packets, or for one instrument of a new set of watches.

    `counters`: alert_absurd.
    """

    def __init__(
        self,
        counters: Counter[str],
        *,
        phase: Callable[[str, int], str],
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        """Args:
        phase: of a segment's market in the minute that starts at these seconds since the epoch.
        lock: needed where several threads use the book. It must go to the thread that waits for it.
        """
        self.counters = counters
        self._phase = phase
        self._phases: dict[tuple[str, int], str] = {}
        self._lock = lock or nullcontext()
        self._entries: dict[str, Entry] = {}
        self._watched: dict[tuple[int, str], Watched] = {}  # changed by `replace` alone, under the lock
        self._since = 0
        self._gaps: dict[str, Gap] = {}

    def connected(self, since_us: int) -> None:
        """Start a connection: what its first packets show may have happened since the last one."""
        with self._lock:
            self._since = since_us
            self._phases.clear()

    def disconnected(self) -> None:
        with self._lock:
            self._since = 0

    def take(self, ticks: Iterable[TickFields]) -> list[Hit]:
        """Return the hits of ticks in the order of their arrival."""
        hits: list[Hit] = []
        with self._lock:
            entries, since = self._entries, self._since
            if not entries or not since:
                return hits
            for fields in ticks:
                entry = entries.get(fields[0])
                if entry is None:
                    continue
                ltp = fields[1]
                # The usual packet: price and volume between the nearest levels, within the day's range.
                if (
                    ltp is not None and entry.low < ltp < entry.high and fields[5] is entry.day
                    and entry.since == since and entry.at and not fields[9]
                    and (entry.volume is None or entry.volume <= (fields[4] or 0) < entry.least)
                ):  # fmt: skip
                    entry.ltp, entry.ltt, entry.seen, entry.volume = ltp, fields[2], fields[3], fields[4]
                else:
                    hits += self._judge(entry, fields, since)
        return hits

    def begin(self, last: Iterable[TickFields]) -> None:
        """Compare new watches with the last packets of this connection, so that the very next one may fire.

        An instrument whose own packets have come meanwhile is left as it is.
        """
        for fields in last:
            with self._lock:
                entry = self._entries.get(fields[0])
                if entry is not None and not entry.seen and not entry.at and 0 < self._since <= fields[3]:
                    self._judge(entry, fields, self._since)

    def replace(self, watches: Iterable[Watch]) -> None:
        """Replace all watches. What is known of an unchanged one, and of its instrument, stays."""
        wanted = {(watch.alert_id, watch.key): watch for watch in watches if watch.rule.tree is not None}
        for place in [place for place in self._watched if place not in wanted]:
            self._change(place, None)
        for place, watch in wanted.items():
            there = self._watched.get(place)
            if there is None or not _is_same(there.watch, watch):
                self._change(place, watch)

    def forget(self, keys: Iterable[str]) -> None:
        """Forget the last prices of instruments: their keys mean others now."""
        with self._lock:
            for key in keys:
                if key in self._entries:
                    self._entries[key].clear()

    def rearm(self, alert_id: int, key: str) -> None:
        """Let a watch fire again though the rule is still met: its last hit did not count."""
        with self._lock:
            watched = self._watched.get((alert_id, key))
            if watched is not None and not watched.armed:
                watched.armed = True
                self._entries[key].sort()

    def disarm(self, alert_id: int, key: str) -> None:
        """Let a watch wait until its rule is not met: it fired for another reason than a packet."""
        with self._lock:
            watched = self._watched.get((alert_id, key))
            if watched is not None and watched.armed:
                watched.armed, watched.judged = False, True
                self._entries[key].sort()

    def take_gaps(self) -> list[Gap]:
        """Return the gaps since the last call that ended with a packet."""
        with self._lock:
            gaps, self._gaps = list(self._gaps.values()), {}
        return gaps

    def blind(self) -> Iterator[Blind]:
        """Yield the armed watches whose touch between two packets would not show in a packet."""
        with self._lock:
            found = list(self._watched.values())
        for watched in found:
            level, entry = watched.level, self._entries.get(watched.watch.key)
            if level is None or not watched.armed or entry is None or not entry.at:
                continue
            extreme = None if entry.day.high is None else entry.top if level.up else entry.bottom
            if extreme is None or level.is_met(extreme):
                yield Blind(watched.watch.alert_id, watched.watch.key, level)

    def is_armed(self, alert_id: int, key: str) -> bool:
        """Return whether a watch may fire at the next packet that meets it."""
        with self._lock:
            watched = self._watched.get((alert_id, key))
            return watched is not None and watched.armed

    def armed_levels(self, key: str) -> dict[int, Level]:
        """Return the level of each armed watch of an instrument, by alert; rules without one are missing."""
        with self._lock:
            entry = self._entries.get(key)
            watched = [] if entry is None else [*entry.levels]
            return {each.watch.alert_id: each.level for each in watched if each.armed and each.level}

    def memory(self) -> list[Memory]:
        """Return what changed of the watches since the last call."""
        changed: list[Memory] = []
        with self._lock:
            entries = list(self._entries.values())
        for entry in entries:
            with self._lock:  # for one instrument: all of them take so long that packets would wait
                if entry.at > entry.saved_at and entry.ltp is not None:
                    entry.saved_at = entry.at
                    ltp, at = entry.ltp, entry.at
                    changed += [_memory(each, ltp, at) for each in (*entry.levels, *entry.general)]
        return changed

    def reading(self, alert_id: int, key: str) -> Reading:
        """Return what a rule saw last."""
        with self._lock:
            watched = self._watched.get((alert_id, key))
            return reading(watched, self._entries.get(key))

    def _judge(self, entry: Entry, fields: TickFields, since: int) -> list[Hit]:
        segment = fields[0].partition(":")[0]
        is_new, seen = entry.since != since, entry.seen or entry.at
        packet = read_packet(entry, fields, since, self._phase_of(segment, fields[3] // _US), self.counters)
        if packet is None:
            entry.find_band()
            return []
        if is_new and seen and len(self._gaps) < MAX_GAPS:
            self._gaps[entry.key] = Gap(entry.key, seen, packet.received)
        phase = self._phase_of(segment, packet.at)
        hits = judge(entry, packet, phase)
        hits += judge_general((*entry.general, *entry.others), packet, phase)
        return hits

    def _phase_of(self, segment: str, at: int) -> str:
        minute = at - at % 60
        found = self._phases.get((segment, minute))
        if found is None:
            if len(self._phases) > 1_000:
                self._phases.clear()
            found = self._phases[segment, minute] = self._phase(segment, minute)
        return found

    def _change(self, place: tuple[int, str], watch: Watch | None) -> None:
        with self._lock:
            before = self._watched.pop(place, None)
            if before is not None:
                self._entries_of(before.watch, lambda entry: entry.remove(before))
            if watch is not None:
                self._watched[place] = self._add(watch, before)
            if before is not None:  # not earlier: the last packet would be forgotten with its entry
                self._entries_of(before.watch, self._drop_if_empty)

    def _entries_of(self, watch: Watch, do: Callable[[Entry], None]) -> None:
        for key in {watch.key, *watch.rule.others}:
            do(self._entries[key])

    def _drop_if_empty(self, entry: Entry) -> None:
        if entry.is_empty:
            del self._entries[entry.key]

    def _add(self, watch: Watch, before: Watched | None) -> Watched:
        entry = self._entries.setdefault(watch.key, Entry(watch.key))
        if not entry.at and watch.last is not None:
            entry.ltp, entry.at = watch.last, watch.last_at
            entry.day_number = entry.opened_on = days_since_1970(watch.last_at // _US)
        watched = Watched(watch)
        if before is not None and _goes_on(before.watch, watch):
            watched.armed, watched.judged = before.armed, before.judged
        if watched.of is not None:
            entry.add(watched)
            return watched
        compile_general(watched, entry, self._entries)
        entry.general.append(watched)
        entry.find_marks()
        entry.find_band()
        for key in {*watch.rule.others} - {watch.key}:
            other = self._entries.setdefault(key, Entry(key))
            other.others.append(watched)
            other.find_marks()
            other.find_band()
        return watched


def _memory(watched: Watched, ltp: int, at: int) -> Memory:
    watch = watched.watch
    return Memory(watch.alert_id, watch.version, watch.key, watched.armed, ltp, at)


def _is_same(before: Watch, watch: Watch) -> bool:
    """Are these the same but for what is remembered of an earlier start?"""
    return before[:7] == watch[:7]


def _goes_on(before: Watch, watch: Watch) -> bool:
    """Is this the same rule, with other values or by a later version of its alert that changed something else?"""
    same_rule = (before.rule, before.hysteresis) == (watch.rule, watch.hysteresis)
    return before.version == watch.version or same_rule
