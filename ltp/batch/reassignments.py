"""Keys that mean another instrument in a new master than in the database, found while the master is read."""

from __future__ import annotations

from ltp.core.identity import same_instrument
from ltp.core.instrument import SHARE_SERIES, Instrument
from ltp.core.symbol_lookup import SEGMENT
from ltp.db import instruments
from ltp.db.engine import Engine


class Reassignments:
    """`add` each row, then read `found` once: a contract can be judged only when the renames of all shares
    are known.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._batch: dict[str, Instrument] = {}
        self._differing: list[tuple[Instrument, Instrument]] = []  # known and new, of one key
        self._renamed: dict[str, str] = {}  # former to present symbols of shares
        self._listed: dict[str, set[tuple[int, str]]] = {}  # by symbol of a share: ids and names

    def add(self, row: Instrument) -> None:
        self._batch[row.key] = row
        if row.segment == SEGMENT and row.series in SHARE_SERIES:
            self._listed.setdefault(row.symbol.casefold(), set()).add((row.security_id, row.name.casefold()))
        if len(self._batch) == instruments.BATCH:
            self._compare()

    def found(self) -> list[Instrument]:
        """Return the known instruments with keys that mean others in the new master."""
        self._compare()
        return [
            old
            for old, new in self._differing
            if not same_instrument(old, new, self._renamed) or self._is_elsewhere(old, new)
        ]

    def _is_elsewhere(self, old: Instrument, new: Instrument) -> bool:
        """Return whether the known share is listed under another id, by symbol and name, where an ISIN is
        missing. In a compact master, which has none, a share that took over an id looks like a rename.
        """
        if (
            new.segment != SEGMENT
            or old.symbol == new.symbol
            or old.name == new.name
            or (old.isin and new.isin)
        ):
            return False
        return any(
            id_ != old.security_id and name == old.name.casefold()
            for id_, name in self._listed.get(old.symbol.casefold(), ())
        )

    def _compare(self) -> None:
        for old in instruments.fetch_named(self._engine, list(self._batch)):
            new = self._batch[old.key]
            if (old.symbol, old.name, old.isin) != (new.symbol, new.name, new.isin):
                self._differing.append((old, new))
                if new.segment == SEGMENT and new.series in SHARE_SERIES and same_instrument(old, new, {}):
                    self._renamed[old.symbol.casefold()] = new.symbol
        self._batch.clear()
