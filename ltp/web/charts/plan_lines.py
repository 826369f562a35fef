"""The prices of a plan on a chart: entry, stop and target as lines with their names, and the zone to buy in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple

from ltp.core.chart.geometry import Scale, spread
from ltp.core.money import SCALE, Price, grouped_text

# Ranges of the bars' prices above or below them: with a level farther away the candles would be too flat.
_NEAR: Final = 2.0
_TEXT: Final = 15  # height of one line of text on the axis
_LABEL: Final = 28  # of a name with its price below


class Level(NamedTuple):
    """A price of the plan. `kind`: its CSS class."""

    kind: str
    name: str
    price: Price


class PlanLines(NamedTuple):
    """`zone`: from a price to a higher one. `made`: the session of the plan. `far`: levels without a line."""

    levels: tuple[Level, ...] = ()
    zone: tuple[Price, Price] | None = None
    made: date | None = None
    far: tuple[Level, ...] = ()

    @property
    def all_levels(self) -> tuple[Level, ...]:
        """The levels with and without a line, the highest first."""
        return tuple(sorted((*self.levels, *self.far), key=lambda level: -level.price))

    @property
    def prices(self) -> list[Price]:
        """The prices that the scale of the chart includes."""
        return [*(level.price for level in self.levels), *(self.zone or ())]

    def placed(self, lowest: Price, highest: Price) -> PlanLines:
        """Return the lines of a chart whose bars have these prices: without those that are far away."""
        reach = _NEAR * (highest - lowest or SCALE)

        def near(price: Price) -> bool:
            return lowest - reach <= price <= highest + reach

        return self._replace(
            levels=tuple(level for level in self.levels if near(level.price)),
            far=tuple(level for level in self.levels if not near(level.price)),
            zone=self.zone if self.zone and all(map(near, self.zone)) else None,
        )


NO_PLAN: Final = PlanLines()


class Label(NamedTuple):
    """A text at the price axis. `y`: its middle. `texts`: one line each."""

    y: int
    kind: str
    texts: tuple[str, ...]

    @property
    def height(self) -> int:
        return _LABEL if len(self.texts) > 1 else _TEXT

    def hides(self, y: float) -> bool:
        """Return whether a text of one line at `y` would overlap."""
        return abs(y - self.y) < (self.height + _TEXT) / 2

    @property
    def markup(self) -> str:
        first = self.y + 4 if len(self.texts) == 1 else self.y - 3
        return "".join(
            f'<text class="{self.kind}" x="6" y="{first + at * 13}">{text}</text>'
            for at, text in enumerate(self.texts)
        )


def zone_shape(plan: PlanLines, scale: Scale, width: int) -> str:
    if not plan.zone:
        return ""
    bottom, top = (round(scale.y(price)) for price in plan.zone)
    return f'<path class="zone" d="M0 {top}H{width}V{max(bottom, top + 1)}H0z"/>'


def rules(plan: PlanLines, days: Sequence[date], places: int, scale: Scale, bottom: int) -> str:
    """Return a line across the plot for each level, and one that ends the session of the plan.

    Args:
        days: the session of each bar. places: of the chart. bottom: the height at which the prices end.
    """
    lines = (
        f'<line class="level {level.kind}" x1="0" x2="100%" y1="{y}.5" y2="{y}.5"/>'
        for level in plan.levels
        for y in (round(scale.y(level.price)),)
    )
    return "".join(lines) + _session(plan.made, days, places, bottom)


def _session(made: date | None, days: Sequence[date], places: int, bottom: int) -> str:
    """Return the line after the last bar of the plan's session, empty unless bars follow it."""
    after = sum(day <= made for day in days) if made else 0
    if made is None or not 0 < after < len(days):
        return ""
    share = round(after / places * 100, 2)
    anchor, shift = ("start", 4) if share < 30 else ("end", -4)
    return (
        f'<line class="made" x1="{share}%" x2="{share}%" y1="0" y2="{bottom}"/>'
        f'<text class="made" x="{share}%" dx="{shift}" y="{bottom - 4}" text-anchor="{anchor}">'
        f"plan of {made.day} {made:%b}</text>"
    )


def labels(
    plan: PlanLines, last: Price, scale: Scale, ends: tuple[int, int], *, currency: bool
) -> list[Label]:
    """Return the texts at the axis of the last close and of each level, moved apart where they would overlap.

    Args:
        ends: the heights between which the prices lie; a level without a line is named at one of them.
    """

    def text(price: Price) -> str:
        return grouped_text(price, currency=currency)

    found = [Label(round(scale.y(last)), "last", (text(last),))]
    found += [
        Label(round(scale.y(each.price)), each.kind, (each.name, text(each.price))) for each in plan.levels
    ]
    for each in plan.far:
        above = each.price > last
        name = f"{each.name} {'↑' if above else '↓'}"
        found.append(Label(ends[0] if above else ends[1], each.kind, (name, text(each.price))))
    middles = spread([(label.y, label.height) for label in found], *ends)
    return [label._replace(y=y) for label, y in zip(found, middles, strict=True)]


def words(plan: PlanLines, *, currency: bool) -> str:
    """Return the levels for a description: ", Target 1,790.00, Entry 1,650.00"; empty without any."""
    return "".join(f", {each.name} {grouped_text(each.price, currency=currency)}" for each in plan.all_levels)


def notes(levels: Iterable[Level], last: Price, *, currency: bool) -> list[str]:
    """Return a sentence for each level that is not drawn."""
    return [
        f"{each.name} {grouped_text(each.price, currency=currency)} is not drawn: it is far"
        f" {'above' if each.price > last else 'below'} these bars."
        for each in levels
    ]
