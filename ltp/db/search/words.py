"""The words of shares and indices in order, with the rows that have them, and the words near a mistyped one."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

# With three letters a typo is as likely another symbol, and half of all words would be near.
SHORTEST: Final = 4
MOST_NEAR: Final = 50
_WORDS: Final = 500  # compared in one call, which holds the interpreter for some 0.5 ms
_WORD: Final = re.compile(r"[^\W_]+")
_AFTER_ANY: Final = "\U0010ffff"


def words_of(text: str) -> list[str]:
    """Return the words of a casefolded text: its runs of letters and digits."""
    return _WORD.findall(text)


def is_near(word: str, text: str) -> bool:
    """Return whether the text differs from the word by one typo or none."""
    return bool(OSA.distance(word, text, score_cutoff=1) <= 1)


class WordIndex:
    """Immutable. `rows`: the words of each row, as pairs of a row number and a casefolded text."""

    def __init__(self, rows: Iterable[tuple[int, str]] = (), pause: Callable[[], object] = lambda: None):
        known: dict[str, array[int]] = {}
        for number, (row, text) in enumerate(rows):
            for word in set(words_of(text)):
                known.setdefault(word, array("L")).append(row)
            if not number % _WORDS:
                pause()
        self._words = sorted(known)
        self._rows, self._starts = array("L"), array("L", [0])
        for number, word in enumerate(self._words):
            self._rows += known[word]
            self._starts.append(len(self._rows))
            if not number % _WORDS:
                pause()

    def starting(self, prefix: str) -> Sequence[int]:
        """Return the rows of the words that start with the prefix; a row may come twice."""
        first = bisect_left(self._words, prefix)
        last = bisect_left(self._words, prefix + _AFTER_ANY, first)
        return self._rows[self._starts[first] : self._starts[last]]

    def near(self, word: str, pause: Callable[[], object] = lambda: None) -> list[str]:
        """Return the words that start with `word` when one letter of it is put right, at most MOST_NEAR.

        One letter too many, too few, wrong, or in its neighbour's place. None for a word without letters,
        because a mistyped number is another number.
        """
        if len(word) < SHORTEST or not any(map(str.isalpha, word)):
            return []
        found: set[str] = set()
        for start in range(0, len(self._words), _WORDS):
            part = self._words[start : start + _WORDS]
            for length in (len(word) - 1, len(word), len(word) + 1):
                starts = [each[:length] for each in part]
                hits = process.extract(word, starts, scorer=OSA.distance, score_cutoff=1, limit=None)
                found.update(part[index] for _, _, index in hits)
            pause()
        return sorted(found, key=lambda each: (OSA.distance(word, each), each))[:MOST_NEAR]
