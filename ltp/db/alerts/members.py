"""The instruments of targets: each member of a list or an index, each row of a screen's newest run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, select

from ltp.core.alerts.alert import KEY, SCREEN, UNIVERSE, Target
from ltp.core.money import Price
from ltp.core.screener import KINDS
from ltp.db import corporate_actions, runs, saved_screens, universes
from ltp.db.alerts import rules, values
from ltp.db.runs import RunHead
from ltp.db.schema import constituents, screener_rows


class Version(NamedTuple):
    """Changes with every change of alerts, lists, runs, terms and splits."""

    number: int
    parts: tuple[object, ...]


def inputs_in(connection: Connection) -> Version:
    """Return the version of all that says which terms are needed, and what they are made of besides candles."""
    return Version(
        rules.change_number(connection),
        (
            universes.version_in(connection),
            runs.version_in(connection),
            corporate_actions.version_in(connection),
        ),
    )


def version_in(connection: Connection) -> Version:
    """Return the version of all that watches are made of; a few cheap queries."""
    number, parts = inputs_in(connection)
    return Version(number, (*parts, values.version_in(connection)))


def keys_in(connection: Connection, targets: Iterable[Target]) -> dict[Target, tuple[str, ...]]:
    """Return the keys of targets in their order. One whose list or screen is not there, or has no run, is missing."""
    wanted = set(targets)
    found: dict[Target, tuple[str, ...]] = {target: (target.name,) for target in wanted if target.kind == KEY}
    named = {target.name: target for target in wanted if target.kind == UNIVERSE}
    known = universes.all_in(connection).keys() if named else ()
    for name in named.keys() & set(known):
        found[named[name]] = _members(connection, name)
    screens = {target.name: target for target in wanted if target.kind == SCREEN}
    heads = current_runs_in(connection, screens) if screens else {}
    for slug, of_screen in heads.items():
        if of_screen:
            found[screens[slug]] = run_keys_in(connection, of_screen[0].id)
    return found


def current_runs_in(connection: Connection, slugs: Iterable[str]) -> Mapping[str, tuple[RunHead, ...]]:
    """Return the runs of screens by slug, the current one first, the others newest first.

    A screen that does not exist is missing; one that has not run yet has no runs.
    """
    kinds = {kind: kind for kind in KINDS} | {
        each.slug: each.kind for each in saved_screens.all_in(connection)
    }
    heads = runs.heads_in(connection)
    return {slug: heads.get(kinds[slug], ()) for slug in slugs if slug in kinds}


def run_keys_in(connection: Connection, run_id: int) -> tuple[str, ...]:
    """Return the keys of a run by rank."""
    rows = select(screener_rows.c.segment, screener_rows.c.security_id).where(
        screener_rows.c.run_id == run_id
    )
    return tuple(
        f"{segment}:{id_}" for segment, id_ in connection.execute(rows.order_by(screener_rows.c.rank))
    )


def plan_levels_in(connection: Connection, run_id: int) -> dict[str, dict[str, Price | None]]:
    """Return entry, stop and target of a run's plans by key, 1/10,000 rupee."""
    table = screener_rows.c
    rows = select(table.segment, table.security_id, table.entry, table.stop, table.target).where(
        table.run_id == run_id
    )
    return {
        f"{segment}:{id_}": {"entry": entry, "stop": stop, "target": target}
        for segment, id_, entry, stop, target in connection.execute(rows)
    }


def _members(connection: Connection, name: str) -> tuple[str, ...]:
    key = (constituents.c.segment, constituents.c.security_id)
    rows = connection.execute(select(*key).where(constituents.c.universe == name).order_by(*key))
    return tuple(f"{segment}:{security_id}" for segment, security_id in rows)
