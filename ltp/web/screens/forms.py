"""The form of a custom screen: its fields as typed, each with its error. Pure: parameters in, fields out.

The fields become the address of the page. The builder composes one criterion from choices; its parameters
leave the address once that criterion is there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from ltp.core.criteria.spec import MAX_CRITERIA, PARAMETERS, Spec, canonical, from_params, params
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
_MAX_SHOWN: Final = 600  # characters of a refused value in its field
_NO_UNIVERSE: Final = "There is no such universe (any more); choose another."


class Field(NamedTuple):
    """`value`: as typed. `caret`: two lines, the value and a mark below the character that `error` names."""

    name: str
    value: str = ""
    error: str = ""
    caret: str = ""


class CriterionForm(NamedTuple):
    """The builder: `fact` compared by `sign` with `number` or with the fact `other`."""

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
        """Return the text of the criterion, not yet parsed.

        Raises:
            InputError: a choice is missing.
        """
        if not self.fact:
            raise InputError("the fact", "", "choose what is compared")
        if self.sign not in dict(SIGNS):
            raise InputError(
                "the comparison", self.sign, "it is one of " + ", ".join(sign for sign, _ in SIGNS)
            )
        if bool(self.number) == bool(self.other):
            accepted = "type a number or choose a second fact, one of the two"
            both = self.number and f"{self.number} and {self.other}"
            raise InputError("what it is compared with", both, accepted)
        operand = self.number or self.other
        crossing = self.sign.startswith("crosses_")
        return f"{self.sign}({self.fact}, {operand})" if crossing else f"{self.fact} {self.sign} {operand}"


class Form(NamedTuple):
    """`criteria`: the fields with a text. `error`: of the form as a whole. `spec`: None if anything is
    refused. `clean`: has the address no empty parameter and none of the builder?
    """

    criteria: tuple[Field, ...]
    universe: Field
    min_price: Field
    min_turnover: Field
    builder: CriterionForm
    error: str
    spec: Spec | None
    clean: bool


def parse(pairs: Iterable[tuple[str, str]], universes: Collection[str]) -> Form:
    """Parse the parameters of a custom screen's page; each error is put beside its field.

    An accepted form is parsed once. Only a refused one is parsed again, field by field, to place its errors.

    Args:
        universes: names of the stored universes.
    """
    given = [(name, value) for name, value in pairs if name in PARAMETERS_OF_FORM]
    form = _fields(given)
    try:
        built = [("c", form.builder.criterion())] if form.builder.used else []
        spec = from_params([*(pair for pair in given if pair[0] in PARAMETERS), *built])
    except InputError as error:
        return _with_errors(form, given, universes, error)
    if spec.universe not in {"", *universes}:
        return form._replace(universe=form.universe._replace(error=_NO_UNIVERSE))
    return form._replace(spec=spec)


def of_spec(spec: Spec) -> Form:
    """Return the form for a spec, without parsing."""
    return _fields(params(spec))._replace(spec=spec)


def sentence(message: object) -> str:
    """Return a message with a full stop unless it ends a sentence itself."""
    text = str(message)
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _fields(given: Sequence[tuple[str, str]]) -> Form:
    """Return the form as typed, without errors and without a spec."""
    texts = [value for name, value in given if name == "c" and value.strip()]
    last = dict(given)
    fact, sign, number, other = (last.get(name, "").strip()[:_MAX_SHOWN] for name in BUILDER)
    return Form(
        tuple(Field("c", text) for text in texts[:MAX_CRITERIA]),
        _first("universe", given),
        _first("min_price", given),
        _first("min_turnover", given),
        CriterionForm(fact, sign or CriterionForm().sign, number, other),
        error="",
        spec=None,
        clean=not any(name in BUILDER or not value.strip() for name, value in given),
    )


def _first(name: str, given: Sequence[tuple[str, str]]) -> Field:
    value = next((value.strip() for each, value in given if each == name and value.strip()), "")
    return Field(name, value[:_MAX_SHOWN])


def _with_errors(
    form: Form, given: Sequence[tuple[str, str]], universes: Collection[str], error: InputError
) -> Form:
    """Return the refused form. `error` concerns the form as a whole unless a field has one of its own."""
    texts = [value for name, value in given if name == "c" and value.strip()]
    criteria = tuple(
        _checked_criterion(field, place, len(texts)) for place, field in enumerate(form.criteria, 1)
    )
    universe, min_price, min_turnover = (
        _checked(field, given) for field in (form.universe, form.min_price, form.min_turnover)
    )
    if universe.value not in {"", *universes} and not universe.error:
        universe = universe._replace(error=_NO_UNIVERSE)
    builder = _checked_builder(form.builder)
    has_place = any(field.error for field in (*criteria, universe, min_price, min_turnover)) or builder.error
    return form._replace(
        criteria=criteria,
        universe=universe,
        min_price=min_price,
        min_turnover=min_turnover,
        builder=builder,
        error="" if has_place else sentence(error),
    )


def _checked_criterion(field: Field, place: int, count: int) -> Field:
    where = f"Criterion {place}" if count > 1 else "The criterion"
    try:
        canonical(field.value, where)
    except CriterionError as error:
        return Field("c", field.value[:_MAX_SHOWN], sentence(error), error.caret())
    return field


def _checked(field: Field, given: Sequence[tuple[str, str]]) -> Field:
    try:
        from_params(pair for pair in given if pair[0] == field.name)
    except InputError as error:
        return field._replace(error=sentence(error))
    return field


def _checked_builder(builder: CriterionForm) -> CriterionForm:
    if not builder.used:
        return builder
    try:
        canonical(builder.criterion(), "What was built")
    except CriterionError as error:
        return builder._replace(error=sentence(error), caret=error.caret())
    except InputError as error:
        return builder._replace(error=f"{error.accepted[0].upper()}{error.accepted[1:]}.")
    return builder
