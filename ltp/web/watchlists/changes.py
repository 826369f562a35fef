"""The forms of `/watchlists/<slug>/edit`: each is one edit of the list as it is now.

The form of the lines has all that was typed on its page, the values that it showed and its version. A move or a removal
keeps its meaning under a newer version and is made. A text that somebody else has changed meanwhile is not overwritten: the page comes
again with both, and with what has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.watchlists import edits
from ltp.core.watchlists.edits import Edit, Edited
from ltp.core.watchlists.watchlist import Watchlist, is_section_key
from ltp.db.watchlists import store
from ltp.errors import ConflictError, InputError
from ltp.web import params
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS, patiently
from ltp.web.watchlists import edit, words
from ltp.web.watchlists.edit import Refusal, Typed
from ltp.web.watchlists.index import SOURCE
from ltp.web.watchlists.lists import PATH, lists

bp = Blueprint("watchlist_changes", __name__)
SAVE, REMOVE = "save", "remove"
MAX_BODY: Final = 512 * 1024  # a page of notes, each twice and percent-encoded
_MAX_NUMBER: Final = 2**31 - 1


@bp.post(f"{PATH}/<slug>/lines")
def lines_of_page(slug: str) -> BaseResponse:
    """Save all that was typed on the page, and with the button of a line also move or remove that line."""
    request.max_content_length = request.max_form_memory_size = MAX_BODY
    form = _form()
    do, _, key = form.get("do", SAVE).partition(" ")
    params.choice({"do": do}, "do", (SAVE, REMOVE, *edits.MOVES), SAVE)
    typed, seen = _typed(form, ""), _typed(form, "was_")
    typed = {each: values for each, values in typed.items() if values != seen.get(each, Typed())}
    if do == REMOVE:
        typed.pop(key, None)

    def act() -> BaseResponse:
        parts = [_saved(each, values, seen.get(each, Typed())) for each, values in typed.items()]
        if do != SAVE:
            parts.append(edits.remove([key]) if do == REMOVE else edits.move(key, do))
        new = change(slug, edits.together(parts)).watchlist
        if do in {edits.UP, edits.DOWN}:
            return _back(slug, edit.page_of(new, key), key)
        return _back(slug, _number(form, "page"), key if do in edits.MOVES else "")

    return _or_refused(slug, form, Refusal(typed=typed), act)


@bp.post(f"{PATH}/<slug>/sections")
def section(slug: str) -> BaseResponse:
    form = _form()

    def act() -> BaseResponse:
        new = change(slug, edits.add_section(form.get("title", ""))).watchlist
        return _back(slug, edit.page_of(new, new.lines[-1].key), new.lines[-1].key)

    return _or_refused(slug, form, Refusal(), act)


@bp.post(f"{PATH}/<slug>/rename")
def rename(slug: str) -> BaseResponse:
    form = _form()

    def act() -> BaseResponse:
        change(slug, edits.rename(form.get("title", ""), form.get("was_title")))
        return _back(slug, _number(form, "page"))

    return _or_refused(slug, form, Refusal(title=form.get("title", "")), act)


@bp.get(f"{PATH}/<slug>/<any(lines, sections, rename):_how>")
def opened(slug: str, _how: str) -> BaseResponse:
    """Redirect to the page: after a refusal a browser may load these addresses again."""
    return redirect(f"{PATH}/{slug}/edit", 302)


def change(slug: str, edit: Edit) -> Edited:
    """Change a list by a form. Raises as `store.change`."""
    how = partial(store.change, services().engine, slug, edit, SOURCE, busy_timeout_ms=BUSY_TIMEOUT_MS)
    return patiently(how)


def _typed(form: dict[str, str], prefix: str) -> dict[str, Typed]:
    """Return the texts of each line in the form, whose fields are called such as `note NSE_EQ:1333`."""
    found: dict[str, Typed] = {}
    for field, value in form.items():
        name, _, key = field.removeprefix(prefix).partition(" ")
        if field.startswith(prefix) and key and name in Typed._fields:
            found[key] = found.get(key, Typed())._replace(**{name: value})
    return found


def _saved(key: str, typed: Typed, seen: Typed) -> Edit:
    if is_section_key(key):
        return edits.rename_section(key, typed.title, seen.title)
    return edits.mark(key, typed.note, typed.flag, (seen.note, seen.flag))


def _or_refused(
    slug: str, form: dict[str, str], kept: Refusal, act: Callable[[], BaseResponse]
) -> BaseResponse:
    """Return the response of `act`; of a refusal the page with its reason and `kept`, what was typed."""
    try:
        return act()
    except (InputError, ConflictError) as error:
        now = lists().get(slug)
        sentence = f"Not stored. {words.with_symbols(str(error))}."
        refusal = kept._replace(sentence=sentence, meanwhile=_meanwhile(now, form))
        shown = next((key for key in kept.typed if now.line(key)), "")
        page = edit.page_of(now, shown) if shown else _number(form, "page")
        status = 409 if isinstance(error, ConflictError) else 400
        response = edit.render(now, page, refusal, status)
        # The address of this view accepts only POST, so the browser must show another.
        response.headers["HX-Push-Url"] = f"{PATH}/{slug}/edit"
        return response


def _meanwhile(now: Watchlist, form: dict[str, str]) -> tuple[str, ...]:
    version = _number(form, "version")
    return tuple(words.changes_after(now.slug, version)) if version < now.version else ()


def _back(slug: str, page: int, key: str = "") -> BaseResponse:
    query = f"?page={page}" if page > 1 else ""
    anchor = f"#l-{key.replace(':', '-')}" if key else ""
    return redirect(f"{PATH}/{slug}/edit{query}{anchor}", 303)


def _form() -> dict[str, str]:
    return dict(request.form.items())


def _number(form: dict[str, str], name: str) -> int:
    return params.whole(form, name, _MAX_NUMBER, 1) if form.get(name) else 1
