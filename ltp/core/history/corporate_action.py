"""A split, a bonus or a consolidation: so many new shares for so many old ones from a day on, and how people
write that.
"""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from ltp.core.history import announcement
from ltp.core.history.announcement import Kind
from ltp.errors import InputError

# detected: a step at a simple ratio; unexplained: a step at none, a demerger for example. Both wait for an
# operator.
ActionState = Literal["detected", "unexplained", "confirmed", "dismissed"]
CANDLES: Final = "candles"  # the source of what was found in prices
WAITING: Final = frozenset({"detected", "unexplained"})
MAX_SHARES: Final = 10_000
_MOST_FOR_MOST: Final = 100  # shares: a split of 100 into 1, a bonus of 1:99
_MAX_RUPEES: Final = 10_000_000
PAISE: Final = 100

_PAIR = re.compile(r"(\d{1,8}(?:\.\d{1,4})?) ?[:/] ?(\d{1,8}(?:\.\d{1,4})?)", re.ASCII)
_MOST_STORED: Final = 2**31 - 1
RATIO_ACCEPTED: Final = (
    "new shares for old ones such as 5:1, a ratio of prices such as 2841.85:2580, or words such as bonus 1:1, "
    "split 10:2 (face values)"
)


class Action(NamedTuple):
    """`numerator` shares for each `denominator` held: 5:1 for a split of 10 into 2, 2:1 for a bonus of 1:1.

    From `ex_day` on prices are after it. `evidence`: why it is believed, as a sentence. `source`: the command
    or file it is from. An unexplained one has the close before it and its open, in paise.
    """

    key: str
    ex_day: date
    numerator: int
    denominator: int
    state: ActionState
    evidence: str = ""
    source: str = ""

    @property
    def ratio(self) -> str:
        if self.state == "unexplained":
            prices = (
                f"{paise / PAISE:.2f}".removesuffix(".00") for paise in (self.numerator, self.denominator)
            )
            return ":".join(prices)
        if max(self.numerator, self.denominator) > MAX_SHARES:
            return f"{self.numerator / self.denominator:.4f}:1"
        return f"{self.numerator}:{self.denominator}"

    @property
    def of_prices(self) -> bool:
        """Whether the ratio is one of prices, as after a demerger: nobody gives or splits shares at such a
        ratio.
        """
        return max(Fraction(self.numerator, self.denominator).as_integer_ratio()) > _MOST_FOR_MOST

    @property
    def waits(self) -> bool:
        """Whether no operator has confirmed or dismissed it: the history before it is not comparable."""
        return self.state in WAITING


def parse_ratio(text: str, where: str = "ratio") -> tuple[int, int]:
    """Return numerator and denominator in lowest terms.

    A bare pair is new shares for old ones, or the price before for the price after. Behind "bonus" it is
    shares given for shares held, behind "split" the face values, as companies announce them; "bonus 1:1 /
    split 10:2" is both at once.

    Raises:
        InputError: none of these, or no change at all.
    """
    ratio = Fraction(1)
    for _, part in parse_parts(text, where):
        ratio *= part
    return ratio.numerator, ratio.denominator


def parse_parts(text: str, where: str = "ratio") -> tuple[tuple[Kind | Literal["ratio"], Fraction], ...]:
    """Return what a ratio consists of: a bonus and a split by their names, or a bare pair.

    Raises:
        InputError: as `parse_ratio`.
    """
    reading = announcement.parse(text)
    pair = _PAIR.fullmatch(re.sub(r"(?<=\d),(?=\d)", "", text.strip()))
    if reading.held:
        raise InputError(where, text, f"{reading.held}; accepted are {RATIO_ACCEPTED}")
    if reading.parts:
        return reading.parts
    if pair is None or not float(pair[2]) or max(float(pair[1]), float(pair[2])) > _MAX_RUPEES:
        raise InputError(where, text, RATIO_ACCEPTED)
    ratio = Fraction(pair[1]) / Fraction(pair[2])
    stored = max(ratio.numerator, ratio.denominator) <= _MOST_STORED
    if ratio in (0, 1) or not stored or not 1 / MAX_SHARES <= ratio <= MAX_SHARES:
        raise InputError(where, text, RATIO_ACCEPTED)
    return (("ratio", ratio),)
