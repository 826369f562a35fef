"""Corporate actions: splits, bonuses and consolidations as ratios of shares, and the parsing of ratios."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from ltp.core.history import announcement
from ltp.core.history.announcement import Kind
from ltp.errors import InputError

# detected: a step of the price at a simple ratio. unexplained: a step at no simple ratio, a demerger for
# example. Both wait for an operator.
ActionState = Literal["detected", "unexplained", "confirmed", "dismissed"]
CANDLES: Final = "candles"  # `source` of actions that were found in prices
WAITING: Final = frozenset({"detected", "unexplained"})
MAX_SHARES: Final = 10_000
_MAX_SHARE_RATIO: Final = 100  # a split of 100 into 1, a bonus of 1:99; larger numbers are prices
_MAX_RUPEES: Final = 10_000_000
PAISE: Final = 100

_PAIR = re.compile(r"(\d{1,8}(?:\.\d{1,4})?) ?[:/] ?(\d{1,8}(?:\.\d{1,4})?)", re.ASCII)
_MAX_STORED: Final = 2**31 - 1  # a column of 32 bits
RATIO_ACCEPTED: Final = (
    "new shares for old ones such as 5:1, a ratio of prices such as 2841.85:2580, "
    "or words such as bonus 1:1, split 10:2 (face values)"
)


class Action(NamedTuple):
    """`numerator` shares replace `denominator` shares: 5:1 for a split of 10 into 2, 2:1 for a bonus of 1:1.

    `ex_day`: the first day with prices after the action. `evidence`: a sentence for the operator. `source`:
    the command or file. The numbers of an unexplained action are the close before it and its open, in paise.
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
        """Whether the ratio is one of prices, as after a demerger: no split or bonus has such a ratio."""
        return max(Fraction(self.numerator, self.denominator).as_integer_ratio()) > _MAX_SHARE_RATIO

    @property
    def waits(self) -> bool:
        """Whether it is neither confirmed nor dismissed: the history before it is not comparable."""
        return self.state in WAITING


def parse_ratio(text: str, where: str = "ratio") -> tuple[int, int]:
    """Return numerator and denominator in lowest terms.

    A bare pair is new shares for old ones, or the price before and the price after. After "bonus" it is
    bonus shares for old ones, after "split" the two face values, as companies announce them; "bonus 1:1 /
    split 10:2" is both at once.

    Raises:
        InputError: the text has none of these forms, or the ratio changes nothing.
    """
    ratio = Fraction(1)
    for _, part in parse_parts(text, where):
        ratio *= part
    return ratio.numerator, ratio.denominator


def parse_parts(text: str, where: str = "ratio") -> tuple[tuple[Kind | Literal["ratio"], Fraction], ...]:
    """Return the factors of a ratio: a bonus and a split by their names, or a bare pair.

    Raises:
        InputError: as `parse_ratio`.
    """
    reading = announcement.parse(text)
    pair = _PAIR.fullmatch(re.sub(r"(?<=\d),(?=\d)", "", text.strip()))
    if reading.refusal:
        raise InputError(where, text, f"{reading.refusal}; accepted are {RATIO_ACCEPTED}")
    if reading.parts:
        return reading.parts
    if pair is None or not float(pair[2]) or max(float(pair[1]), float(pair[2])) > _MAX_RUPEES:
        raise InputError(where, text, RATIO_ACCEPTED)
    ratio = Fraction(pair[1]) / Fraction(pair[2])
    fits = max(ratio.numerator, ratio.denominator) <= _MAX_STORED
    if ratio in (0, 1) or not fits or not 1 / MAX_SHARES <= ratio <= MAX_SHARES:
        raise InputError(where, text, RATIO_ACCEPTED)
    return (("ratio", ratio),)
