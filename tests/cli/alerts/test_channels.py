"""`python -m ltp alerts channels`: add, list, test, remove; no output has a target."""

from __future__ import annotations

import io

import pytest

from ltp.cli.main import main
from ltp.db.alerts import channels
from ltp.db.engine import open_engine
from ltp.delivery.sender import NO_SERVER
from tests.delivery.isolation import restored  # noqa: F401
from tests.delivery.receivers import answers, receiver, status

pytestmark = pytest.mark.usefixtures("restored")


def run(*arguments: str) -> int:
    return main(["alerts", "channels", *arguments])


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_channel_is_added_listed_and_removed(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "https://hooks.example.com/T0KEN/abcdefab12\ns1gning\n")
    assert run("add", "my desk", "webhook", "--signed", "--per-minute", "3") == 0
    line = "   1  on   webhook  my desk  https://hooks.example.com/…ab12  3 a minute\n"
    assert capsys.readouterr().out == line
    [made] = channels.all_of(open_engine(database_url))
    assert (made.target.reveal(), made.secret.reveal()) == (
        "https://hooks.example.com/T0KEN/abcdefab12", "s1gning",
    )  # fmt: skip
    assert run("list") == 0
    assert capsys.readouterr().out == line
    assert run("remove", "my desk") == 0
    assert run("list") == 0
    assert capsys.readouterr().out == "Deleted my desk\n"


@pytest.mark.parametrize(
    ("text", "arguments", "sentence"),
    [
        ("https://127.0.0.1/s3cret", ("a", "webhook"), "its host is inside of this network"),
        ("json://s3cret", ("a", "apprise"), "the service is one of discord, gchat"),
        ("s3cret", ("a", "mail"), "it is one mail address such as name@example.com"),
        ("", ("a", "webhook"), "a webhook is an address such as https://hooks.example.com/path"),
        (
            "https://example.com/s3cret",
            ("a", "webhook", "--signed"),
            "the second line of the input is the secret",
        ),
        ("me@example.com", ("a", "mail", "--per-minute", "61"), "it is a whole number from 1 to 60"),
    ],
)
def test_a_refusal_quotes_no_target(
    text: str,
    arguments: tuple[str, ...],
    sentence: str,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    typed(monkeypatch, text)
    assert run("add", *arguments) == 2
    shown = capsys.readouterr().err
    assert sentence in shown
    assert "s3cret" not in shown
    assert channels.all_of(open_engine(database_url)) == []


def test_a_test_is_sent_from_here(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALERTS_ALLOW_INTERNAL", "true")
    with receiver(answers(status(204), status(500))) as made:
        typed(monkeypatch, f"http://127.0.0.1:{made.port}/T0KEN/abcdefab12")
        assert run("add", "desk", "webhook") == 0
        assert run("test", "desk") == 0
        assert run("test", "1") == 1
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines == [
        f"desk (http://127.0.0.1:{made.port}/…ab12): accepted with status 204",
        f"desk (http://127.0.0.1:{made.port}/…ab12): answered with status 500",
    ]
    assert b'"kind": "test"' in made.requests[0]


def test_a_mail_without_a_server(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "trader@example.com")
    assert run("add", "me", "mail") == 0
    assert run("test", "me") == 1
    assert NO_SERVER in capsys.readouterr().out


def test_an_unknown_channel(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("test", "nobody") == 2
    assert "a channel: of which there is none yet" in capsys.readouterr().err
