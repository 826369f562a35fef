"""Streams by client: quotas, and the rank of the instruments on their pages."""

from __future__ import annotations

from typing import Any

import pytest

from ltp.hub.clients import Clients
from ltp.hub.insets import Inset


def test_instruments_rank_by_their_place_among_those_of_a_client(rig: Any) -> None:
    clients, one, two = Clients(), rig.view(1, 2), rig.view(3)
    clients.join("a", one)
    clients.join("a", two)
    assert clients.ranks() == {"NSE_EQ:1": 0, "NSE_EQ:2": 1, "NSE_EQ:3": 2}
    clients.join("b", two)
    assert clients.ranks()["NSE_EQ:3"] == 0


def test_a_client_ranks_no_more_instruments_than_its_quota(rig: Any) -> None:
    clients = Clients()
    for start in range(0, 6_000, 1_500):
        clients.join("a", rig.view(*range(start + 1, start + 1_501)))
    assert len(clients.ranks()) == 2_000
    clients.join("b", rig.view(5_999))
    assert clients.ranks()["NSE_EQ:5999"] == 0


def test_a_client_has_the_insets_of_its_open_views(rig: Any) -> None:
    clients, book, chart = Clients(), Inset("depth NSE_EQ:1"), Inset("chart NSE_EQ:1")
    view, other = rig.hub.view(["NSE_EQ:1"], ["ltp"], book, chart), rig.hub.view(["NSE_EQ:1"], ["ltp"], book)
    clients.join("a", view)
    clients.join("b", other)
    assert (clients.insets("a"), clients.insets("b"), clients.insets("c")) == ({book, chart}, {book}, set())
    clients.leave("a", view)
    assert clients.insets("a") == set()


def test_this_machine_has_no_quota(rig: Any) -> None:
    clients = Clients()
    for start in range(0, 4_000, 1_000):
        clients.join("", rig.view(*range(start + 1, start + 1_001)))
    assert len(clients.ranks()) == 4_000


def test_streams_that_ended_are_not_counted(rig: Any, browse: Any) -> None:
    view = rig.view(1)
    browsers = [browse(rig, view) for _ in range(2)]
    assert rig.hub.clients.streams("") == 2
    browsers[0].leave()
    rig.prices(k1=100)
    rig.until(lambda: rig.hub.clients.streams("") == 1 or rig.prices(k1=101 + rig.seq))
    assert rig.hub.ranks() == {"NSE_EQ:1": 0}
    browsers[1].leave()
    rig.until(lambda: rig.hub.clients.streams("") == 0 or rig.prices(k1=101 + rig.seq))
    assert rig.hub.ranks() == {}


def test_a_view_that_a_client_has_open_several_times_counts_once(
    rig: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltp.hub.clients.CELLS_EACH", 5)
    client, columns = "203.0.113.9", list(rig.view(1).columns)
    for view in (rig.view(1), rig.view(1), rig.view(2)):
        rig.hub.clients.join(client, view)
    assert rig.hub.refusal(["NSE_EQ:2"], columns, client) == ""
    assert rig.hub.refusal(["NSE_EQ:3"], columns, client) == "client"
    assert rig.hub.refusal(["NSE_EQ:3"], columns, "198.51.100.1") == ""
    assert rig.hub.refusal(["NSE_EQ:3"], columns, "") == ""


def test_a_client_has_at_most_a_quarter_of_the_streams(make_rig: Any) -> None:
    rig = make_rig(max_streams=100)
    view, columns = rig.view(1), list(rig.view(1).columns)
    for _ in range(25):
        assert rig.hub.refusal(["NSE_EQ:1"], columns, "203.0.113.9") == ""
        rig.hub.clients.join("203.0.113.9", view)
    assert rig.hub.refusal(["NSE_EQ:1"], columns, "203.0.113.9") == "client"
    assert rig.hub.refusal(["NSE_EQ:1"], columns, "198.51.100.1") == ""
