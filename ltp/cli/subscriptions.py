"""`python -m ltp subscriptions`: what is on the feed and why, and the instruments that are pinned to it."""

from __future__ import annotations

import argparse
import sys
from typing import Any, Final

from ltp import settings as settings_module
from ltp.cli.database import open_seeded
from ltp.core.counted import counted, listed
from ltp.core.instrument import parse_key
from ltp.core.subscriptions.pins import DEFAULT, MAX_PINS, MODES, parse_mode, parse_note
from ltp.core.subscriptions.table import REASONS, STATES, Reason, Subscription, SubscriptionTable
from ltp.core.symbol_lookup import SymbolLookup
from ltp.db import instruments
from ltp.db.engine import Engine
from ltp.db.instruments import BATCH
from ltp.db.pins import pins
from ltp.errors import InputError
from ltp.settings import Settings
from ltp.store import heartbeat, subscription_table
from ltp.store.client import connect

_REDIS_TIMEOUT_S: Final = 2.0
_WITHIN_S: Final = 5.0
_NAMED: Final = 12  # instruments in a sentence; the rest is counted
_SEGMENTS: Final = ("NSE_EQ", "BSE_EQ", "IDX_I")


def add(commands: Any) -> None:
    """Register the commands on the program's sub-parsers."""
    actions = commands.add_parser("subscriptions", help="the instruments on the feed").add_subparsers(
        required=True, metavar="ACTION"
    )
    list_ = actions.add_parser("list", help="print what is on the feed and why, in the order of the places")
    list_.add_argument("--state", default="", help="only those: " + ", ".join(STATES))
    list_.add_argument("--reason", default="", help="only those: " + ", ".join(REASONS))
    list_.add_argument(
        "--pins", action="store_true", help="the pinned ones from the database, without a worker"
    )
    list_.set_defaults(command=_list)

    pin = actions.add_parser("pin", help="keep instruments on the feed")
    pin.add_argument("symbols", nargs="+", metavar="SYMBOL", help="HDFCBANK, or a key such as BSE_EQ:500180")
    pin.add_argument("--mode", default=DEFAULT, help=", ".join(MODES) + " (default %(default)s)")
    pin.add_argument("--note", default="", help="why, for later")
    pin.set_defaults(command=_pin)

    unpin = actions.add_parser("unpin", help="keep them no longer")
    unpin.add_argument("symbols", nargs="+", metavar="SYMBOL")
    unpin.set_defaults(command=_unpin)


def _list(given: argparse.Namespace) -> int:
    for option, value, accepted in (("--state", given.state, STATES), ("--reason", given.reason, REASONS)):
        if value and value not in accepted:
            raise InputError(option, value, "it is one of " + ", ".join(accepted))
    settings = settings_module.load()
    if given.pins:
        return _list_pins(settings)
    table = _table(settings)
    if table is None:
        print("No worker has written its subscriptions: is one running?", file=sys.stderr)
        return 1
    symbols = _symbols(open_seeded(settings), [row.key for row in table.rows])
    rows = [row for row in table.rows if _is_asked(table, row, given.state, given.reason)]
    for row in rows:
        why = ", ".join(_named(table.reasons[number]) for number in row.reasons)
        place = str(row.place or "-")
        print(
            f"{place:>5}  {row.key:<18} {symbols.get(row.key, ''):<14} {row.state:<12} "
            f"{row.mode or '-':<6} {_age(table, row):>9}  {why}"
        )
    placed = sum(row.place > 0 for row in table.rows)
    print(
        f"{counted(len(rows), 'instrument')}; {placed:,} of {table.limit:,} places taken, feed {table.feed}."
    )
    return 0


def _list_pins(settings: Settings) -> int:
    engine = open_seeded(settings)
    found = pins.fetch(engine)
    symbols = _symbols(engine, [pin.key for pin in found])
    for pin in found:
        at = pin.pinned_at.isoformat(timespec="seconds")
        print(f"{pin.key:<18} {symbols.get(pin.key, ''):<14} {pin.mode:<8} {at}  {pin.note}".rstrip())
    print(f"{len(found):,} of {MAX_PINS:,} pins taken.")
    return 0


def _pin(given: argparse.Namespace) -> int:
    mode, note = parse_mode(given.mode), parse_note(given.note)
    engine, keys = _named_keys(given.symbols)
    pins.pin(engine, keys, mode, note)
    print(f"{counted(len(keys), 'instrument')} pinned: {listed(keys, _NAMED)}")
    return 0


def _unpin(given: argparse.Namespace) -> int:
    engine, keys = _named_keys(given.symbols)
    pins.unpin(engine, keys)
    print(f"{counted(len(keys), 'instrument')} unpinned: {listed(keys, _NAMED)}")
    return 0


def _table(settings: Settings) -> SubscriptionTable | None:
    """Return the table, None where no worker writes one. Raises StoreError."""
    client = connect(settings.secret("redis_url"), timeout_s=_REDIS_TIMEOUT_S)
    if heartbeat.read(client).heartbeat_at is None:
        return None
    return subscription_table.wait_for(client, _WITHIN_S)


def _named_keys(symbols: list[str]) -> tuple[Engine, list[str]]:
    """Raises InputError: the instrument master does not know one of them."""
    engine = open_seeded(settings_module.load())
    every = [each for segment in _SEGMENTS for each in instruments.fetch(engine, segment)]
    every += instruments.fetch_named(engine, [parse_key(symbol) for symbol in symbols if ":" in symbol])
    lookup = SymbolLookup(every, instruments.fetch_names(engine))
    found = {symbol: lookup.resolve(symbol) for symbol in symbols}
    unknown = [symbol for symbol, instrument in found.items() if instrument is None]
    if unknown:
        accepted = "the instrument master knows none of that name; nothing was changed"
        raise InputError("SYMBOL", listed(unknown, _NAMED), accepted)
    return engine, list(dict.fromkeys(each.key for each in found.values() if each is not None))


def _symbols(engine: Engine, keys: list[str]) -> dict[str, str]:
    parts = (keys[start : start + BATCH] for start in range(0, len(keys), BATCH))
    return {each.key: each.symbol for part in parts for each in instruments.fetch_named(engine, part)}


def _is_asked(table: SubscriptionTable, row: Subscription, state: str, reason: str) -> bool:
    kinds = {table.reasons[number].kind for number in row.reasons}
    return state in ("", row.state) and (not reason or reason in kinds)


def _named(reason: Reason) -> str:
    return f"{reason.kind} {reason.title or reason.name}" if reason.name else reason.kind


def _age(table: SubscriptionTable, row: Subscription) -> str:
    return f"{max(0, table.at_us - row.last_us) / 1e6:.1f} s" if row.last_us else "never"
