"""What is accepted of an alert's terms. Pages, API and commands check by it, so all have the same sentences."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection
from datetime import date
from typing import Final, NamedTuple

from ltp.core.alerts.alert import (
    EACH,
    KEY,
    MARKET,
    MAX_COOL_DOWN_S,
    MAX_HYSTERESIS,
    MAX_NOTE,
    REPEATS,
    SCREEN,
    TARGETS,
    UNIVERSE,
    Target,
    Terms,
)
from ltp.core.alerts.rule import Rule, parse_rule
from ltp.core.instrument import parse_key
from ltp.core.market.holidays import PHASES
from ltp.errors import InputError

MAX_CHANNELS: Final = 20
MAX_NAME: Final = 64
# Written by nobody on purpose: they reorder the text around them.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_JOINERS: Final = "\u200c\u200d"  # parts of words in Indian scripts


class Known(NamedTuple):
    """What exists at present. Each function takes a name; `channels`: ids."""

    instrument: Callable[[str], bool]
    universe: Callable[[str], bool]
    screen: Callable[[str], bool]
    channels: Collection[int] = ()


def checked(terms: Terms, today: date, known: Known) -> Terms:
    """Return the terms with the canonical text of the rule and a note on one line.

    Args:
        today: in India.
    Raises:
        InputError: names the field. A CriterionError names the character of the rule.
    """
    rule = parse_rule(terms.rule)
    _check_target(terms.target, rule)
    _check_known(terms, rule, known)
    if terms.repeat not in REPEATS:
        raise InputError("repeat", terms.repeat, "it is one of " + ", ".join(REPEATS))
    _check_pauses(terms)
    if terms.expires is not None and terms.expires < today:
        raise InputError("expires", terms.expires.isoformat(), f"it is today, {today}, or a later day")
    if unknown := [each for each in terms.phases if each not in PHASES]:
        raise InputError("phases", unknown[0], "each is one of " + ", ".join(PHASES))
    if len(terms.channels) > MAX_CHANNELS:
        raise InputError(
            "channels", f"{len(terms.channels)} channels", f"at most {MAX_CHANNELS} are accepted"
        )
    return terms._replace(
        rule=rule.text,
        note=note_of(terms.note),
        phases=tuple(each for each in PHASES if each in terms.phases),
        channels=tuple(dict.fromkeys(terms.channels)),
    )


def target_of(kind: str, name: str) -> Target:
    """Return the target of a kind and a name.

    Raises:
        InputError: the kind is none of TARGETS, or the name is no key, or missing.
    """
    if kind not in TARGETS:
        raise InputError("target", kind, "it is one of " + ", ".join(TARGETS))
    if kind == MARKET:
        return Target(MARKET, "")
    if kind == KEY:
        return Target(KEY, parse_key(name, "key"))
    if not name or len(name) > MAX_NAME:
        example = "a list or an index is expected, such as nifty50"
        if kind != UNIVERSE:
            example = "a screen is expected, such as swing"
        raise InputError(kind, name, f"the short name of {example}")
    return Target(kind, name)


def note_of(text: str) -> str:
    """Return a note as it is kept: on one line, without spaces at its ends.

    Raises:
        InputError: it is too long, or has a character that cannot be seen.
    """
    note = " ".join(text.split())
    if len(note) > MAX_NOTE:
        raise InputError("note", note, f"at most {MAX_NOTE} characters; it has {len(note)}")
    hidden = next((c for c in note if unicodedata.category(c) in _INVISIBLE and c not in _JOINERS), "")
    if hidden:
        raise InputError("note", note, f"it has the invisible character U+{ord(hidden):04X}; leave it out")
    return note


def _check_target(target: Target, rule: Rule) -> None:
    if rule.event is not None and target.kind != MARKET:
        accepted = f"{rule.text} watches no instrument: its target is {MARKET}"
        raise InputError("target", target.kind, accepted)
    if rule.event is None and target.kind == MARKET:
        accepted = "a rule on prices watches an instrument, a list or the rows of a screen"
        raise InputError("target", target.kind, accepted)


def _check_known(terms: Terms, rule: Rule, known: Known) -> None:
    kind, name = terms.target
    keys = [("key", name)] if kind == KEY else []
    for where, key in (*keys, *(("rule", each) for each in rule.others)):
        if not known.instrument(key):
            raise InputError(where, key, "the instrument master has no such instrument")
    if kind == UNIVERSE and not known.universe(name):
        raise InputError("universe", name, "there is no such list or index")
    screens = [("screen", name)] if kind == SCREEN else []
    screens += [("rule", screen) for screen, _ in rule.plans]
    if rule.event is not None and rule.event.screen:
        screens.append(("rule", rule.event.screen))
    for where, screen in screens:
        if not known.screen(screen):
            raise InputError(
                where, screen, "there is no such screen; save it first, or name swing or longterm"
            )
    for channel in terms.channels:
        if channel not in known.channels:
            raise InputError("channels", str(channel), "there is no such channel")


def _check_pauses(terms: Terms) -> None:
    if not 0 <= terms.cool_down_s <= MAX_COOL_DOWN_S:
        minutes = f"{terms.cool_down_s / 60:g} minutes"
        raise InputError("cool_down", minutes, f"it is 0 to {MAX_COOL_DOWN_S // 60} minutes")
    if not 0 <= terms.hysteresis <= MAX_HYSTERESIS:  # also refuses nan
        raise InputError("hysteresis", f"{terms.hysteresis:g}", f"it is 0 to {MAX_HYSTERESIS:g} per cent")
    if terms.cool_down_s and terms.repeat != EACH:
        minutes = f"{terms.cool_down_s / 60:g} minutes"
        raise InputError("cool_down", minutes, f"only an alert that repeats {EACH} has one")
