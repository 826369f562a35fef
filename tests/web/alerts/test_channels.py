"""`/alerts/channels`: add, change, test, switch and delete, without a script and without a target on the page."""

from __future__ import annotations

from typing import Any

import pytest

from ltp.core.alerts.channel import MAIL, SERVICE, WEBHOOK
from ltp.core.alerts.delivery import failed, sent
from ltp.db.alerts import channels, deliveries
from ltp.db.alerts.channels import Wanted
from ltp.web.alerts.channels import EXTENSION
from tests.alert_rows import NOW, channel

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
HOOK = "https://hooks.example.com/T0KEN/abcdefab12"


def post(site: Any, path: str = "", **form: str) -> Any:
    return site.client.post(f"/alerts/channels{path}", data=form, headers=SAME_ORIGIN)


def line(site: Any, channel_id: int) -> str:
    """Return the row of a channel."""
    page = site.page("/alerts/channels")
    row = page[page.index(f'<tr id="c-{channel_id}">') :]
    return " ".join(row[: row.index("</tr>")].split())


@pytest.mark.parametrize(
    ("kind", "target", "shown"),
    [
        (WEBHOOK, HOOK, "https://hooks.example.com/…ab12"),
        (MAIL, "trader@example.com", "t…@example.com"),
        (SERVICE, "tgram://123456789:abcdefg_hijklmnop/12315544", "tgram://…5544"),
    ],
)
def test_a_channel_of_each_kind_is_added(site: Any, kind: str, target: str, shown: str) -> None:
    answer = post(site, kind=kind, name="my desk", target=target, per_minute="5")
    assert (answer.status_code, answer.location) == (303, "/alerts/channels#c-1")
    [made] = channels.all_of(site.engine)
    assert (made.name, made.kind, made.target.reveal(), made.per_minute) == ("my desk", kind, target, 5)
    assert shown in line(site, 1)
    for page in (site.page("/alerts/channels"), site.page("/alerts/channels?change=1")):
        assert target not in page
        assert "T0KEN" not in page


def test_a_signed_webhook(site: Any) -> None:
    post(site, kind=WEBHOOK, name="a", target=HOOK, secret="s1gning", per_minute="5")
    assert "signed webhook" in line(site, 1)
    assert "s1gning" not in site.page("/alerts/channels?change=1")


@pytest.mark.parametrize(
    ("form", "sentence", "field"),
    [
        ({"target": "https://127.0.0.1/s3cret"}, "its host is inside of this network", "target"),
        ({"target": "http://example.com/s3cret"}, "only where ALERTS_ALLOW_INTERNAL is true", "target"),
        ({"target": ""}, "a webhook is an address such as", "target"),
        ({"name": ""}, "a name is 1 to 60 printable characters", "name"),
        ({"name": "taken"}, "another channel has this name", "name"),
        ({"per_minute": "0"}, "it is a whole number from 1 to 60", "per_minute"),
        ({"per_minute": "x"}, "it is a whole number from 1 to 60", "per_minute"),
        ({"secret": "ü-s3cret"}, "a secret is up to 200 printable ASCII characters", "secret"),
        ({"kind": "pigeon"}, "it is webhook, mail or apprise", "kind"),
    ],
)
def test_a_refusal_is_beside_its_form_and_changes_nothing(
    site: Any, form: dict[str, str], sentence: str, field: str
) -> None:
    channel(site.engine, "taken")
    typed = {"kind": WEBHOOK, "name": "typed <b>", "target": "https://example.com/s3cret"} | form
    answer = post(site, **typed)
    assert answer.status_code == 400
    assert answer.headers["HX-Push-Url"] == "/alerts/channels"
    assert sentence in answer.text
    assert "s3cret" not in answer.text
    assert 'id="e-webhook" role="alert"' in answer.text
    if field not in {"kind"}:
        assert 'aria-invalid="true" aria-describedby="e-webhook"' in answer.text
    if typed["name"] == "typed <b>":
        assert 'value="typed &lt;b&gt;"' in answer.text
    assert [each.name for each in channels.all_of(site.engine)] == ["taken"]


def test_a_channel_is_changed(site: Any) -> None:
    made = channels.create(site.engine, Wanted("old", WEBHOOK, HOOK, "s1gning"), internal=False)
    page = site.page(f"/alerts/channels?change={made.id}")
    assert 'value="old"' in page
    assert post(site, "/1", name="new", per_minute="3", target="", secret="").status_code == 303
    found = channels.fetch(site.engine, 1)
    assert (found.name, found.per_minute, found.target, found.secret) == ("new", 3, made.target, made.secret)
    post(site, "/1", name="new", per_minute="3", target="https://other.example.com/x", secret="")
    found = channels.fetch(site.engine, 1)
    assert (found.target.reveal(), found.secret.reveal()) == ("https://other.example.com/x", "")


@pytest.mark.parametrize(
    "form",
    [
        {"target": "https://10.0.0.1/x"},
        {"name": ""},
        {"per_minute": "99"},
        {"secret": "without a target"},
    ],
)
def test_a_refused_change_changes_nothing(site: Any, form: dict[str, str]) -> None:
    made = channels.create(site.engine, Wanted("old", WEBHOOK, HOOK), internal=False)
    typed = {"name": "new", "per_minute": "3", "target": "https://other.example.com/", "secret": ""}
    if "secret" in form:
        typed["target"] = ""
    answer = post(site, "/1", **(typed | form))
    assert answer.status_code == 400
    assert 'id="e-1" role="alert"' in answer.text
    assert channels.fetch(site.engine, 1) == made


def test_a_test_waits_for_the_worker_and_its_result_is_shown(site: Any) -> None:
    made = channel(site.engine)
    answer = post(site, "/1/test")
    assert (answer.status_code, answer.location) == (303, "/alerts/channels#c-1")
    page = site.page("/alerts/channels")
    assert 'hx-trigger="every 1s"' in page
    assert 'id="reload"' in page
    assert "test: waiting" in line(site, 1)
    claimed = deliveries.claim(site.engine, made.id, NOW.replace(year=2099))
    assert claimed is not None
    assert "test: sending" in line(site, 1)
    deliveries.end(site.engine, claimed, failed("it refuses connections"), NOW)
    assert 'test: <b class="w">failed</b>, it refuses connections' in line(site, 1)
    assert "1 Dec 2026, 10:42 IST" in line(site, 1)
    assert 'hx-trigger="every 1s"' not in site.page("/alerts/channels")


def test_a_success_is_shown(site: Any) -> None:
    made = channel(site.engine)
    deliveries.queue_test(site.engine, made.id, NOW)
    claimed = deliveries.claim(site.engine, made.id, NOW)
    assert claimed is not None
    deliveries.end(site.engine, claimed, sent("accepted with status 204", 204), NOW)
    assert 'test: <b class="g">sent</b>, accepted with status 204' in line(site, 1)


def test_a_channel_is_switched_and_deleted(site: Any) -> None:
    channel(site.engine)
    post(site, "/1/off")
    assert "Switch on" in line(site, 1)
    post(site, "/1/on")
    assert "Switch off" in line(site, 1)
    assert post(site, "/1/delete").location == "/alerts/channels#channels"
    assert "There is no channel yet" in site.page("/alerts/channels")


def test_hostile_names_are_text(site: Any) -> None:
    channel(site.engine, '<img src=x onerror="alert(1)">')
    for page in (site.page("/alerts/channels"), site.page("/alerts/channels?change=1")):
        assert "<img" not in page
        assert "&lt;img src=x onerror=" in page


def test_what_does_not_exist_is_said(site: Any) -> None:
    site.page("/alerts/channels?change=9", 404)
    for path in ("/9/test", "/9/on", "/9/delete"):
        assert post(site, path).status_code == 404
    channel(site.engine)
    assert post(site, "/1/explode").status_code == 404
    assert site.client.get("/alerts/channels/1/test").status_code == 302


def test_another_site_may_request_nothing(site: Any) -> None:
    channel(site.engine)
    for path in ("", "/1", "/1/test", "/1/delete"):
        answer = site.client.post(f"/alerts/channels{path}", headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
    assert len(channels.all_of(site.engine)) == 1


def test_the_page_says_which_settings_lack(site: Any) -> None:
    assert "SMTP_URL" in site.page("/alerts/channels")
    assert "ALERTS_ALLOW_INTERNAL" not in site.page("/alerts/channels")
    rules = site.app.extensions[EXTENSION]
    site.app.extensions[EXTENSION] = rules._replace(internal=True, has_mail_server=True)
    assert "SMTP_URL" not in site.page("/alerts/channels")
    assert "ALERTS_ALLOW_INTERNAL" in site.page("/alerts/channels")
    assert post(site, kind=WEBHOOK, name="a", target="http://127.0.0.1:9/").status_code == 303
