"""The forms of `/watchlists/<slug>/edit`: each is one edit of the list as it is now.

A form names its line and has the values and the version that its page showed. A move or a removal keeps its meaning
under a newer version and is made. A text that somebody else has changed meanwhile is not overwritten: the page comes
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
from ltp.web.bars import BUSY_TIMEOUT_MS
from ltp.web.history.patience import patiently
from ltp.web.services import services
from ltp.web.watchlists import edit, words
from ltp.web.watchlists.edit import Refusal, Typed
from ltp.web.watchlists.index import SOURCE
from ltp.web.watchlists.lists import PATH, lists

bp = Blueprint("watchlist_changes", __name__)
SAVE, REMOVE = "save", "remove"
_MAX_NUMBER: Final = 2**31 - 1


@bp.post(f"{PATH}/<slug>/lines")
def line(slug: str) -> BaseResponse:
    """Save a line, and with another button also move or remove it: a text that was typed before is not lost."""
    form = _form()
    key, do = form.get("key", ""), params.choice(form, "do", (SAVE, REMOVE, *edits.MOVES), SAVE)
    typed = Typed(key, form.get("title", ""), form.get("note", ""), form.get("flag", ""))

    def act() -> BaseResponse:
        if do == REMOVE:
            change(slug, edits.remove([key]))
            return _back(slug, _number(form, "page"))
        saved = _saved(key, form)
        new = change(slug, saved if do == SAVE else edits.both(saved, edits.move(key, do))).watchlist
        stays = do in {edits.TOP, edits.BOTTOM}
        return _back(slug, _number(form, "page") if stays else edit.page_of(new, key), key)

    return _or_refused(slug, form, typed, act)


@bp.post(f"{PATH}/<slug>/sections")
def section(slug: str) -> BaseResponse:
    form = _form()

    def act() -> BaseResponse:
        new = change(slug, edits.add_section(form.get("title", ""))).watchlist
        return _back(slug, edit.page_of(new, new.lines[-1].key), new.lines[-1].key)

    return _or_refused(slug, form, Typed(), act)


@bp.post(f"{PATH}/<slug>/rename")
def rename(slug: str) -> BaseResponse:
    form = _form()

    def act() -> BaseResponse:
        change(slug, edits.rename(form.get("title", ""), form.get("was_title")))
        return _back(slug, _number(form, "page"))

    return _or_refused(slug, form, Typed("", form.get("title", "")), act)


@bp.get(f"{PATH}/<slug>/<any(lines, sections, rename):_how>")
def opened(slug: str, _how: str) -> BaseResponse:
    """Redirect to the page: after a refusal a browser may load these addresses again."""
    return redirect(f"{PATH}/{slug}/edit", 302)


def change(slug: str, edit: Edit) -> Edited:
    """Change a list by a form. Raises as `store.change`."""
    how = partial(store.change, services().engine, slug, edit, SOURCE, busy_timeout_ms=BUSY_TIMEOUT_MS)
    return patiently(how)


def _saved(key: str, form: dict[str, str]) -> Edit:
    if is_section_key(key):
        return edits.rename_section(key, form.get("title", ""), form.get("was_title"))
    was = (form.get("was_note", ""), form.get("was_flag", ""))
    return edits.mark(key, form.get("note", ""), form.get("flag", ""), was)


def _or_refused(
    slug: str, form: dict[str, str], typed: Typed, act: Callable[[], BaseResponse]
) -> BaseResponse:
    try:
        return act()
    except (InputError, ConflictError) as error:
        now = lists().get(slug)
        refusal = Refusal(f"Not stored. {words.with_symbols(str(error))}.", _meanwhile(now, form), typed)
        page = edit.page_of(now, typed.key) if typed.key else _number(form, "page")
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
