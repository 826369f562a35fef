"""The form of an alert: its fields as typed, and the rule and terms that they mean. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from werkzeug.datastructures import MultiDict

from ltp.core.alerts.alert import EACH, KEY, MARKET, ONCE, SCREEN, UNIVERSE, Alert, Target, Terms
from ltp.core.alerts.grammar import CROSSES, ENTERS, LEAVES
from ltp.core.alerts.rule import parse_rule
from ltp.core.alerts.terms import target_of
from ltp.core.criteria.nodes import Call, Comparison, Live, Negative, Node, Number, quoted
from ltp.errors import CriterionError, InputError
from ltp.web import params

PRICE, CHANGE, PLAN, VOLUME, YEAR, RATIO, SCREENED, FEED, RULE = KINDS = (
    "price", "change", "plan", "volume", "year", "ratio", "screen", "feed", "rule",
)  # fmt: skip
SIGNS: Final = {">": "above", ">=": "at or above", "<": "below", "<=": "at or below"}
CROSSED: Final = {
    "crosses": "crosses",
    "crosses_above": "crosses upward",
    "crosses_below": "crosses downward",
}
PRICE_SIGNS: Final = SIGNS | CROSSED
_MAX_TEXT: Final = 600
_DECIMALS: Final = 6


class Typed(NamedTuple):
    """The fields as typed, all of them texts. `kind`: which of KINDS the rule is built by; the other kinds' fields
    are kept for the next try. `watch`: "key", or a list or screen as "universe nifty50". `cool_down`: minutes.
    `version`: of the alert that is edited, "" for a new one. `error`: why `field` is refused.
    """

    kind: str = PRICE
    watch: str = KEY
    key: str = ""
    price_sign: str = ">"
    level: str = ""
    change_sign: str = "<"
    pct: str = ""
    plan_sign: str = "<"
    plan_level: str = "stop"
    plan_screen: str = "swing"
    times: str = "3"
    days: str = "20"
    extreme: str = "high52"
    other: str = ""
    ratio_sign: str = ">"
    ratio: str = ""
    event: str = ENTERS
    event_screen: str = "swing"
    rule: str = ""
    repeat: str = ONCE
    cool_down: str = ""
    hysteresis: str = ""
    expires: str = ""
    note: str = ""
    version: str = ""
    phases: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    error: str = ""
    field: str = ""
    caret: str = ""

    def refused(self, error: InputError) -> Typed:
        """Return the form with the error beside its field."""
        caret = error.caret() if isinstance(error, CriterionError) else ""
        where = "rule" if isinstance(error, CriterionError) else error.where
        return self._replace(error=f"{error}.", field=_FIELD_OF.get(where, where), caret=caret)


_SEVERAL: Final = ("phases", "channels")
_NOT_TYPED: Final = (*_SEVERAL, "error", "field", "caret")
_FIELD_OF: Final = {"universe": "watch", "target": "watch"}
_TEXTS: Final = tuple(name for name in Typed._fields if name not in _NOT_TYPED)


def typed(given: MultiDict[str, str]) -> Typed:
    """Return the fields of a request; those that it has not have their defaults."""
    values = {name: given[name].strip()[:_MAX_TEXT] for name in _TEXTS if name in given}
    several = {name: tuple(given.getlist(name)[:_MAX_TEXT]) for name in _SEVERAL}
    return Typed(**values, **several)  # type: ignore[arg-type]


def rule_text(form: Typed, key_of: Callable[[str, str], str]) -> str:
    """Return the text of the rule that the fields of the chosen kind mean, not yet parsed.

    Args:
        key_of: returns the key of what was typed as an instrument into the named field; raises InputError.
    Raises:
        InputError: names the field.
    """
    if form.kind not in KINDS:
        raise InputError("kind", form.kind, "it is one of " + ", ".join(KINDS))
    if form.kind == PRICE:
        return _price(form.price_sign, _number(form.level, "level"))
    if form.kind == CHANGE:
        return f"change_pct {_sign(form.change_sign, 'change_sign')} {_number(form.pct, 'pct', least=None)}"
    if form.kind == PLAN:
        level = _choice(form.plan_level, "plan_level", ("entry", "stop", "target"))
        return f"ltp {_sign(form.plan_sign, 'plan_sign')} plan({_screen(form.plan_screen)}, {level})"
    if form.kind == VOLUME:
        return f"day_volume > {_number(form.times, 'times')} * sma(volume, {_days(form.days)})"
    if form.kind == YEAR:
        extreme = _choice(form.extreme, "extreme", ("high52", "low52"))
        return f"ltp {'>' if extreme == 'high52' else '<'} {extreme}"
    if form.kind == RATIO:
        other, bound = key_of(form.other, "other"), _number(form.ratio, "ratio")
        return f"ltp / of({quoted(other)}, ltp) {_sign(form.ratio_sign, 'ratio_sign')} {bound}"
    if form.kind == SCREENED:
        return f"{_choice(form.event, 'event', (ENTERS, LEAVES))}({_screen(form.event_screen)})"
    return "feed_trouble()" if form.kind == FEED else form.rule


def target(form: Typed, rule: str, key_of: Callable[[str, str], str]) -> Target:
    """Return what the form watches; a rule on events watches the market whatever is chosen.

    Raises:
        InputError: names the field.
    """
    if parse_rule(rule).event is not None:
        return Target(MARKET, "")
    if form.watch == KEY:
        return Target(KEY, key_of(form.key, "key"))
    kind, _, name = form.watch.partition(" ")
    if kind not in (UNIVERSE, SCREEN):
        raise InputError("watch", form.watch, "it is one instrument, a list or a screen")
    return target_of(kind, name)


def terms(form: Typed, key_of: Callable[[str, str], str]) -> Terms:
    """Return the terms of a form, still to be checked by `core.alerts.terms`.

    Raises:
        InputError: names the field.
    """
    text = rule_text(form, key_of)
    cool_down = _number(form.cool_down, "cool_down", default="0") if form.repeat == EACH else "0"
    return Terms(
        target(form, text, key_of),
        text,
        form.repeat,
        round(float(cool_down) * 60),
        float(_number(form.hysteresis, "hysteresis", default="0")),
        params.day(form.expires, "expires") if form.expires else None,
        form.phases,
        form.note,
        tuple(_channel(each) for each in form.channels),
    )


def of_alert(alert: Alert, symbol_of: Callable[[str], str]) -> Typed:
    """Return the form that makes an alert as it is."""
    kept = alert.terms
    form = Typed(
        kind=RULE,
        rule=kept.rule,
        watch=KEY if kept.target.kind in (KEY, MARKET) else f"{kept.target.kind} {kept.target.name}",
        key=symbol_of(kept.target.name) if kept.target.kind == KEY else "",
        repeat=kept.repeat,
        cool_down=f"{kept.cool_down_s / 60:g}" if kept.cool_down_s else "",
        hysteresis=f"{kept.hysteresis:g}" if kept.hysteresis else "",
        expires=kept.expires.isoformat() if kept.expires else "",
        note=kept.note,
        version=str(alert.version),
        phases=kept.phases,
        channels=tuple(map(str, kept.channels)),
    )
    try:
        return _with_kind(form)
    except InputError:  # stored by another version
        return form


def _with_kind(form: Typed) -> Typed:
    match parse_rule(form.rule).tree:
        case Comparison(sign, Live("ltp"), Number() as level) if sign in SIGNS:
            return form._replace(kind=PRICE, price_sign=sign, level=_text(level), rule="")
        case Call(sign, (Live("ltp"), Number() as level)) if sign in CROSSES:
            return form._replace(kind=PRICE, price_sign=sign, level=_text(level), rule="")
        case Comparison(sign, Live("change_pct"), bound) if sign in SIGNS and _text(bound):
            return form._replace(kind=CHANGE, change_sign=sign, pct=_text(bound), rule="")
        case _:
            return form


def _text(node: Node) -> str:
    match node:
        case Number(value):
            return _plain(value)
        case Negative(Number(value)):
            return _plain(-value)
        case _:
            return ""


def _plain(value: float) -> str:
    return f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")


def _price(sign: str, level: str) -> str:
    if sign == "crosses":
        return f"crosses_above(ltp, {level}) or crosses_below(ltp, {level})"
    _choice(sign, "price_sign", tuple(PRICE_SIGNS))
    return f"{sign}(ltp, {level})" if sign in CROSSES else f"ltp {sign} {level}"


def _number(text: str, field: str, *, least: float | None = 0.0, default: str = "") -> str:
    """Return a number as the grammar writes it. Commas and the signs of rupee and per cent are dropped."""
    kept = text.replace(",", "").replace("₹", "").replace("%", "").replace("−", "-").strip() or default
    try:
        value = float(kept)
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e12 or (least is not None and value < least) or "_" in kept:  # also refuses nan
        accepted = "a number is expected" + (", such as 1650.50" if least is not None else ", such as -3")
        raise InputError(field, text, accepted)
    return _plain(value)


def _days(text: str) -> str:
    if not (text.isascii() and text.isdigit()):
        raise InputError("days", text, "a whole number of sessions is expected, such as 20")
    return text


def _screen(slug: str) -> str:
    return slug if slug.isidentifier() else quoted(slug)


def _sign(sign: str, field: str) -> str:
    return _choice(sign, field, tuple(SIGNS))


def _choice(value: str, field: str, accepted: tuple[str, ...]) -> str:
    if value not in accepted:
        raise InputError(field, value, "it is one of " + ", ".join(accepted))
    return value


def _channel(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InputError("channels", text, "there is no such channel")
    return int(text)
