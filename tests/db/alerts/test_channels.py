"""Channels: names are unique, there are few, and a target is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, insert

from ltp.core.alerts.channel import MAIL, MAX_CHANNELS, SERVICE, WEBHOOK, Secret
from ltp.db.alerts import channels, deliveries
from ltp.db.alerts.channels import Wanted
from ltp.db.alerts.tables import alert_channels
from ltp.db.engine import writing
from ltp.errors import DatabaseError, InputError, NotFoundError
from tests.alert_rows import NOW, channel, database, fire, states

HOOK = "https://hooks.example.com/T0KEN/secret-ab12"


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    return database(request.param, request, tmp_path)


def test_a_channel_is_stored_and_its_target_masked(engine: Engine) -> None:
    made = channels.create(engine, Wanted("  my   hook ", WEBHOOK, HOOK, "s1gning", 3), internal=False)
    assert channels.all_of(engine) == [made] == [channels.fetch(engine, made.id)]
    assert (made.name, made.kind, made.is_on, made.per_minute) == ("my hook", WEBHOOK, True, 3)
    assert (made.target, made.secret.reveal()) == (Secret(HOOK), "s1gning")
    assert made.masked == "https://hooks.example.com/…ab12"
    assert "T0KEN" not in repr(made)
    assert "s1gning" not in f"{made} {made.secret} {made!r}"


def test_names_are_unique_whatever_their_case(engine: Engine) -> None:
    channel(engine, "Élan")
    second = channel(engine, "other")
    for same in (
        lambda: channel(engine, "éLAN"),
        lambda: channels.change(engine, second.id, "ÉLAN", 10, internal=False),
    ):
        with pytest.raises(InputError, match="another channel has this name"):
            same()
    assert [each.name for each in channels.all_of(engine)] == ["other", "Élan"]
    assert channels.change(engine, second.id, "OTHER", 10, internal=False).name == "OTHER"


def test_there_are_at_most_fifty(engine: Engine) -> None:
    for number in range(MAX_CHANNELS):
        channel(engine, f"c{number}")
    with pytest.raises(InputError, match="there are 50 channels, the most"):
        channel(engine, "one more")


@pytest.mark.parametrize(
    ("wanted", "where"),
    [
        (Wanted("", MAIL, "me@example.com"), "name"),
        (Wanted("x" * 61, MAIL, "me@example.com"), "name"),
        (Wanted("a\u202eb", MAIL, "me@example.com"), "name"),
        (Wanted("a", "pigeon", "me@example.com"), "kind"),
        (Wanted("a", WEBHOOK, "https://127.0.0.1/s3cret"), "target"),
        (Wanted("a", MAIL, "me@example.com", "s3cret"), "secret"),
        (Wanted("a", MAIL, "me@example.com", "", 0), "per_minute"),
        (Wanted("a", SERVICE, "file:///s3cret"), "target"),
    ],
)
def test_a_refusal_names_the_field_and_quotes_no_secret(engine: Engine, wanted: Wanted, where: str) -> None:
    with pytest.raises(InputError) as refused:
        channels.create(engine, wanted, internal=False)
    assert refused.value.where == where
    assert "s3cret" not in str(refused.value)
    assert channels.all_of(engine) == []


def test_a_channel_is_changed(engine: Engine) -> None:
    made = channels.create(engine, Wanted("a", WEBHOOK, HOOK, "key"), internal=False)
    changed = channels.change(engine, made.id, "b", 60, internal=False)
    assert changed == made._replace(name="b", per_minute=60)
    other = "https://other.example.com/"
    changed = channels.change(engine, made.id, "b", 60, target=other, internal=False)
    assert (changed.target.reveal(), changed.secret) == (other, Secret(""))
    for refused in ({"target": "me@example.com"}, {"secret": "s3cret"}, {"target": "https://10.0.0.1/"}):
        with pytest.raises(InputError):
            channels.change(engine, made.id, "c", 1, **refused, internal=False)
    assert channels.fetch(engine, made.id) == changed
    assert channels.switch(engine, made.id, on=False).is_on is False
    assert channels.switch(engine, made.id, on=True).is_on is True
    for missing in (
        lambda: channels.change(engine, 99, "a name", 1, internal=False),
        lambda: channels.switch(engine, 99, on=True),
        lambda: channels.remove(engine, 99),
    ):
        with pytest.raises(NotFoundError, match="There is no channel called '99'"):
            missing()


def test_messages_that_wait_are_dropped_with_the_channel(engine: Engine) -> None:
    made = channel(engine)
    fire(engine, made.id)
    channels.switch(engine, made.id, on=False)
    deliveries.queue_test(engine, made.id, NOW)
    channels.remove(engine, made.id)
    assert states(engine) == [
        ("dropped", "the channel was switched off"),
        ("dropped", "the channel was deleted"),
    ]
    assert channel(engine).id > made.id  # alerts that name the old one must not reach another


def test_a_failed_statement_shows_no_target(engine: Engine) -> None:
    made = channel(engine)
    values = {"name": made.name, "kind": WEBHOOK, "target": HOOK, "secret": "s1gning", "is_on": True}
    values |= {"per_minute": 1, "created_at": NOW, "changed_at": NOW}
    with pytest.raises(DatabaseError) as failed, writing(engine) as connection:
        connection.execute(insert(alert_channels).values(values))
    shown = f"{failed.value} {failed.value.__cause__}"
    assert "alert_channels" in shown
    assert "T0KEN" not in shown
    assert "s1gning" not in shown
