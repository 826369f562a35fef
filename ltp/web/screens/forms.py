"""The form of a custom screen: what was typed, each field with what is wrong with it. Pure: parameters in,
fields out.

What the form says becomes the page's address. One part of it, the builder, puts a criterion together out of
choices; it is gone from the address once the criterion is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, NamedTuple, TypeVar

from ltp.core.criteria.spec import MAX_CRITERIA, PARAMETERS, Spec, canonical, from_params
from ltp.errors import CriterionError, InputError

BUILDER: Final = ("fact", "is", "number", "other")
PARAMETERS_OF_FORM: Final = (*PARAMETERS, *BUILDER)
SIGNS: Final = (
    (">", "above"),
    (">=", "at least"),
    ("<", "below"),
    ("<=", "at most"),
    ("==", "is"),
    ("!=", "is not"),
    ("crosses_above", "crosses above"),
    ("crosses_below", "crosses below"),
)
_MAX_SHOWN: Final = 600  # of a value that is not accepted, in its field
T = TypeVar("T")


class Field(NamedTuple):
    """`value` as it was typed. `caret`: two lines, the second pointing at the character that `error` names."""

    name: str
    value: str = ""
    error: str = ""
    caret: str = ""


class CriterionForm(NamedTuple):
    """A criterion put together: `fact` compared by `sign` with `number` or `other`."""

    fact: str = ""
    sign: str = ">"
    number: str = ""
    other: str = ""
    error: str = ""
    caret: str = ""

    @property
    def used(self) -> bool:
        return bool(self.fact or self.number or self.other)

    def criterion(self) -> str:
        """Return the text of the criterion.

        Raises:
            InputError: something is not chosen; for what the choices make together, CriterionError.
        """
        if not self.fact:
            raise InputError("the fact", "", "choose what is compared")
        if self.sign not in dict(SIGNS):
            raise InputError(
                "the comparison", self.sign, "it is one of " + ", ".join(sign for sign, _ in SIGNS)
            )
        if bool(self.number) == bool(self.other):
            accepted = "type a number or choose a second fact, one of the two"
            raise InputError(
                "what it is compared with", self.number and f"{self.number} and {self.other}", accepted
            )
        than = self.number or self.other
        crossing = self.sign.startswith("crosses_")
        return canonical(
            f"{self.sign}({self.fact}, {than})" if crossing else f"{self.fact} {self.sign} {than}",
            "What was built",
        )


class Form(NamedTuple):
    """`criteria`: the fields that were filled in. `error`: of the form as a whole. `spec`: what it says, None
    where a field is not accepted. `clean`: the address holds nothing but that, so it can be kept.
    """

    criteria: tuple[Field, ...]
    universe: Field
    min_price: Field
    min_turnover: Field
    builder: CriterionForm
    error: str
    spec: Spec | None
    clean: bool


def read(pairs: Iterable[tuple[str, str]], universes: Collection[str]) -> Form:
    """Read the parameters of a custom screen's page; whatever is wrong with them is said beside the field.

    Args:
        universes: the names there are.
    """
    given = [(name, value) for name, value in pairs if name in PARAMETERS_OF_FORM]
    texts = [value for name, value in given if name == "c" and value.strip()]
    criteria = [
        _criterion(text, place, len(texts)) for place, text in enumerate(texts[:MAX_CRITERIA], start=1)
    ]
    others = {name: _single(name, given) for name in PARAMETERS if name != "c"}
    if others["universe"].value not in {"", *universes} and not others["universe"].error:
        others["universe"] = others["universe"]._replace(
            error="There is no such universe (any more); choose another."
        )
    builder, built = _built(given)
    fields = [*criteria, *others.values()]
    accepted = not any(field.error for field in fields) and not builder.error
    spec, error = _refused(lambda: from_params([*_plain(given), *built])) if accepted else (None, "")
    clean = not any(name in BUILDER or not value.strip() for name, value in given)
    return Form(
        tuple(criteria),
        others["universe"],
        others["min_price"],
        others["min_turnover"],
        builder,
        error,
        spec,
        clean,
    )


def sentence(said: object) -> str:
    """Return what an error or a message says, ended as a sentence."""
    text = str(said)
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _criterion(text: str, place: int, of: int) -> Field:
    where = f"Criterion {place}" if of > 1 else "The criterion"
    try:
        canonical(text, where)
    except CriterionError as error:
        return Field("c", text[:_MAX_SHOWN], sentence(error), error.caret())
    return Field("c", text)


def _single(name: str, given: Sequence[tuple[str, str]]) -> Field:
    pairs = [pair for pair in given if pair[0] == name]
    value = next((value.strip() for _, value in pairs if value.strip()), "")
    return Field(name, value[:_MAX_SHOWN], _refused(lambda: from_params(pairs))[1])


def _built(given: Sequence[tuple[str, str]]) -> tuple[CriterionForm, list[tuple[str, str]]]:
    """Return the builder, and the criterion it makes where it makes one."""
    last = dict(given)
    chosen = [last.get(name, "").strip()[:_MAX_SHOWN] for name in BUILDER]
    builder = CriterionForm(chosen[0], chosen[1] or CriterionForm().sign, chosen[2], chosen[3])
    if not builder.used:
        return builder, []
    try:
        return builder, [("c", builder.criterion())]
    except CriterionError as error:
        return builder._replace(error=sentence(error), caret=error.caret()), []
    except InputError as error:
        return builder._replace(error=f"{error.accepted[0].upper()}{error.accepted[1:]}."), []


def _plain(given: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [pair for pair in given if pair[0] in PARAMETERS]


def _refused(read_it: Callable[[], T]) -> tuple[T | None, str]:
    """Return what is read, or why it is not."""
    try:
        return read_it(), ""
    except InputError as error:
        return None, sentence(error)
