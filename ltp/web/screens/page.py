"""The screen of one request: its screener, query, run, spec and evaluation, each resolved once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Final

from ltp.core.criteria.spec import PARAMETERS, Spec, from_params, params
from ltp.core.screener import Run
from ltp.errors import InputError
from ltp.web import redirect_marks
from ltp.web.screens import catalogue
from ltp.web.screens.catalogue import CUSTOM
from ltp.web.screens.evaluation_state import (
    ASKED,
    SAVED,
    EvaluationState,
    evaluation_of,
    request_evaluation,
)
from ltp.web.table import screen_query
from ltp.web.table.links import Carried
from ltp.web.table.prepare import Table, prepare
from ltp.web.table.screen_query import ScreenQuery
from ltp.web.table.screener import Screener
from ltp.web.table.views import named

Pairs = Iterable[tuple[str, str]]
CUSTOM_PATH: Final = f"/screeners/{CUSTOM}"
_NOT_OF_TABLE: Final = frozenset({*PARAMETERS, ASKED, SAVED, "n"})  # n: number of the poll


class ScreenPage:
    """A screen, and the part of it that a request selects. Each attribute is computed once, at its first use.

    A view uses only the attributes that it needs: a redirect to the shortest address finds no run, a stream
    no evaluation. `mark`: of the evaluation that this request has requested, "" without one.
    """

    def __init__(
        self,
        screener: Screener,
        pairs: Pairs,
        *,
        carried: Carried = (),
        not_of_table: frozenset[str] = frozenset(),
    ) -> None:
        """Keep the parameters; they are parsed at the first use of `query`.

        Args:
            pairs: the parameters of the address.
            carried: parameters that each link of the table keeps, but that do not select its rows.
            not_of_table: names of the parameters that `query` ignores.
        """
        self.screener, self.carried = screener, carried
        self.kind, self.path = screener.kind, screener.path
        self.mark = ""
        self._pairs, self._not_of_table = list(pairs), not_of_table

    @classmethod
    def resolve(cls, slug: str, pairs: Pairs) -> ScreenPage:
        """Find the screen at an address below /screeners.

        Raises:
            NotFoundError: there is none.
        """
        return cls(catalogue.find_screener(slug), pairs)

    @classmethod
    def resolve_custom(cls, pairs: Pairs) -> ScreenPage:
        """Parse the criteria in the parameters of /screeners/custom.

        Raises:
            InputError: a criterion is not accepted, or there is none.
        """
        pairs = list(pairs)
        spec = from_params(pairs)
        if not spec.criteria:
            raise InputError("c", "", "a screen has at least one criterion, such as c=rsi14 > 60")
        return cls.of_spec(spec, pairs)

    @classmethod
    def of_spec(cls, spec: Spec, pairs: Pairs) -> ScreenPage:
        """Return the page of /screeners/custom for criteria that have been parsed."""
        screener = catalogue.screener_of_spec(spec)
        page = cls(screener, pairs, carried=params(spec), not_of_table=_NOT_OF_TABLE)
        page.spec = spec  # fills the cached property, so `spec_of` is not called
        return page

    @cached_property
    def spec(self) -> Spec:
        """The criteria. Raises as `catalogue.spec_of`."""
        return catalogue.spec_of(self.screener)

    @cached_property
    def query(self) -> ScreenQuery:
        """The table's part of the address. Raises as `screen_query.parse` and `named.expanded`."""
        own = [pair for pair in self._pairs if pair[0] not in self._not_of_table]
        return screen_query.parse(named.expanded(own))

    @cached_property
    def run(self) -> Run | None:
        """The run that the query names, by default the current one. Raises as `catalogue.find_run`."""
        return catalogue.find_run(self.screener, self.query.run)

    @cached_property
    def evaluation(self) -> EvaluationState:
        return evaluation_of(self.kind, self.path, self.mark)

    def table(self) -> Table:
        """Prepare the rows that the query selects; raises as `prepare`."""
        return prepare(self.screener, self.run, self.query, self.path, self.carried)

    def request_evaluation(self) -> None:
        """Request an evaluation of the screen; raises as `evaluation_state.request_evaluation`."""
        self.mark = request_evaluation(self.kind, self.spec)

    def shorter_address(self) -> str:
        """Return the shortest address of this page, "" if the present one is it."""
        if self.query.is_shortest(self._pairs):
            return ""
        marks = [pair for pair in self._pairs if pair[0] in {ASKED, SAVED} and pair[1]]
        return self.query.without_rows().url(self.path, [*self.carried, *marks])

    def unmarked_address(self) -> str:
        """Return the address without the mark of an evaluation that has ended, "" without such a mark.

        A bookmark must not keep the mark.
        """
        marked = redirect_marks.from_request(ASKED)
        return self.evaluation.page_url if marked and not self.evaluation.state else ""
