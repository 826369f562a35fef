"""The JSON object of a request: what is accepted, and the sentence for everything else."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from ltp.errors import InputError
from ltp.web.json_bodies import json_object

JSON = {"content_type": "application/json"}


def read(body: bytes | str, **more: object) -> dict[str, object]:
    app = Flask(__name__)
    with app.test_request_context("/", method="POST", data=body, **(JSON | more)):  # type: ignore[arg-type]
        return json_object('{"a": 1}', ("a", "b"))


def test_an_object_with_known_names_is_accepted() -> None:
    assert read('{"a": 1, "b": [null]}') == {"a": 1, "b": [None]}
    assert read("{}") == {}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "body: '' is not accepted; JSON is expected"),
        ("{a: 1}", "body: '{a: 1}' is not accepted; JSON is expected"),
        ("[" * 5_000, f"body: '{'[' * 80}' is not accepted; JSON is expected"),
        ("[1]", "body: 'list' is not accepted; an object such as {\"a\": 1} is expected"),
        ('{"a": 1, "a": 2}', "body: 'a' is not accepted; a name may be given once in an object"),
        ('{"c": 7}', "c: '7' is not accepted; the fields are a, b"),
        (b"\xff", "body: '\ufffd' is not accepted; JSON is expected"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(body: bytes | str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        read(body)
    assert str(caught.value) == sentence


def test_a_form_of_another_site_cannot_send_one() -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        with pytest.raises(UnsupportedMediaType):
            read("{}", content_type=kind)


def test_a_body_without_a_length_that_was_cut_is_too_large() -> None:
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 8
    stream = {"wsgi.input": io.BytesIO(b'{"a": 1}, and more'), "wsgi.input_terminated": True}
    with (
        app.test_request_context("/", method="POST", environ_overrides=stream, **JSON),  # type: ignore[arg-type]
        pytest.raises(RequestEntityTooLarge),
    ):
        json_object("{}")
