"""The rows of the master that match typed words, each with its tier: how well it matches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import islice
from typing import Final

from ltp.core.instrument import CONTRACT_SEGMENTS
from ltp.db.search.segment_text import SEPARATOR, SegmentText
from ltp.db.search.words import WordIndex, words_of

MOST_ROWS: Final = 500  # that one search ranks: their sorting is the longest piece of work, 1 ms
MOST_LINES: Final = 20_000  # that one step of a search looks into
_ROWS_A_TURN: Final = 250
_ISIN: Final = re.compile(r"[a-z]{2}[a-z0-9]*[0-9][a-z0-9]*", re.ASCII)
_ISIN_LENGTHS: Final = range(4, 13)


class Tier(IntEnum):
    """How a row matches, best first."""

    NAMED = 0  # by its id or ISIN
    SYMBOL = 1  # its symbol, or a former one, starts with the words
    WORDS = 2  # each word starts a word of its symbol or name
    CONTRACT = 3  # a contract that has the words
    WITHIN = 4  # the words are inside others
    TYPO = 5  # with one letter put right


def may_be_isin(query: str) -> bool:
    return len(query) in _ISIN_LENGTHS and _ISIN.fullmatch(query) is not None


@dataclass
class Query:
    """One search. `text`: casefolded. `pause` is called after about a millisecond of work.

    `rows`: what was found, with its tier; `more`: whether rows were left out.
    """

    text: str
    texts: Mapping[str, SegmentText]  # by segment, the preferred one first
    words: WordIndex
    enough: int
    pause: Callable[[], object]
    rows: dict[int, Tier] = field(default_factory=dict)
    more: bool = False

    def run(self) -> None:
        """Look at starts of symbols and words, then inside of them, then at typos, until there is enough."""
        cash = [text for segment, text in self.texts.items() if segment not in CONTRACT_SEGMENTS]
        contracts = [text for segment, text in self.texts.items() if segment in CONTRACT_SEGMENTS]
        parts = self.text.split()
        self._add(self._lines(cash, f"\n{self.text}"), Tier.SYMBOL)
        self._add(self._lines(cash, f"{SEPARATOR}{self.text}"), Tier.WORDS)  # names, and former symbols
        self._add(self._with_words(words_of(self.text)), Tier.WORDS)
        likely = [text for text in contracts if any(map(text.may_start, parts))]
        if len(parts) == 1:
            self._add(self._lines(likely, f"\n{self.text}"), Tier.CONTRACT)
        if len(self.text) > 1 and self._wants_more():
            self._add(self._lines(cash, *_rarest_first(parts)), Tier.WITHIN)
        if len(self.text) > 1 and self._wants_more():
            tier = Tier.WITHIN if len(parts) == 1 else Tier.CONTRACT
            # A lone strike is on thousands of lines: where "gold" is, only that segment's are looked into.
            self._add(self._lines(likely or contracts, *_rarest_first(parts)), tier)
        if not self.rows:
            self._add(self._with_typo(words_of(self.text)), Tier.TYPO)

    def _wants_more(self) -> bool:
        if len(self.rows) < self.enough:
            return True
        self.more = True
        return False

    def _add(self, rows: Iterable[int], tier: Tier) -> None:
        for row in islice(rows, MOST_ROWS):
            if len(self.rows) >= MOST_ROWS:
                self.more = True
                return
            self.rows.setdefault(row, tier)

    def _lines(self, texts: Iterable[SegmentText], rarest: str, *others: str) -> Iterator[int]:
        """Yield the rows whose lines have all of the literals."""
        looked_at = 0
        for text in texts:
            for row in text.matches(rarest, self.pause):
                looked_at += 1
                if not looked_at % _ROWS_A_TURN:
                    self.pause()
                if looked_at > MOST_LINES:
                    self.more = True
                    return
                if not others or all(each in text.line(row) for each in others):
                    yield row

    def _with_words(self, words: list[str]) -> Iterable[int]:
        """Return the rows that have a word starting with each of the words."""
        found: set[int] | None = None
        for word in sorted(set(words), key=len, reverse=True):
            rows = set(self.words.starting(word))
            found = rows if found is None else found & rows
            self.pause()
            if not found:
                return ()
        return sorted(found or (), reverse=True)  # rows of NSE before those of BSE

    def _with_typo(self, words: list[str]) -> Iterable[int]:
        """Return the rows that have the words when one of them is put right."""
        unknown = [word for word in words if not self.words.starting(word)]
        if len(unknown) > 1 or not words:
            return ()
        mistyped = unknown[0] if unknown else max(words, key=len)
        rest = [word for word in words if word != mistyped]
        near = {row for word in self.words.near(mistyped, self.pause) for row in self.words.starting(word)}
        return sorted(near & set(self._with_words(rest)) if rest else near)


def _rarest_first(parts: list[str]) -> list[str]:
    """Return the parts, the one that fewest lines will have first: a strike, else the longest."""
    return sorted(parts, key=lambda part: (not any(map(str.isdigit, part)), -len(part)))
