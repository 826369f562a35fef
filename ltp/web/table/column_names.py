"""Names of columns as readers type them: which one may have been meant. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

from ltp.web.table.columns import BY_NAME

SUGGESTED: Final = 5


def suggestion(name: str, accepted: Sequence[str]) -> str:
    """Return a question for the columns with a similar name or label; all ninety would be too many.

    Returns:
        "there is no such column; did you mean rsi?", empty if no accepted name is near, or `name` is one.
    """
    if name in accepted:
        return ""
    labels = {BY_NAME[each].label.lower(): each for each in accepted if each in BY_NAME}
    known, typed = [*accepted, *labels], name[:40].lower()
    # A name this close needs no further guesses beside it.
    near = difflib.get_close_matches(typed, known, n=SUGGESTED, cutoff=0.85)
    near = near or difflib.get_close_matches(typed, known, n=SUGGESTED, cutoff=0.6)
    found = list(dict.fromkeys(labels.get(each, each) for each in near))
    return f"there is no such column; did you mean {_or(found)}?" if found else ""


def _or(names: Sequence[str]) -> str:
    return " or ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
