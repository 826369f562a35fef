"""Checks of an operator's text: hosts, tokens, misspelt names, URLs without secrets."""

from __future__ import annotations

import pytest

from ltp.core.setting_text import closest_name, is_host, is_quoted, masked_url, token_fault

KNOWN = ["PORT", "BIND", "REDIS_URL", "DATABASE_URL", "DHANHQ_ACCESS_TOKEN", "DHANHQ_CLIENT_ID"]


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("redis://h:1/0", "redis://h:1/0"),
        ("redis://:p@h", "redis://***@h"),
        ("a@b", "a@b"),
        ("", ""),
        ("unix://u:p@/x?db=1", "unix://***@/x?***"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, masked: str) -> None:
    assert masked_url(url) == masked


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "::1", "localhost", "api.dhan.co.", "a_b-1.example", "xn--p1ai"]
)
def test_a_host(text: str) -> None:
    assert is_host(text)


@pytest.mark.parametrize(
    "text",
    ["", ".", "a..b", "a b", "a:1", "1.2.3", "300.1.1.1", "http://a", "-a", "a-", "a" * 254, "\u0661.a"],
)
def test_no_host(text: str) -> None:
    assert not is_host(text)


def test_quotes_count_only_as_a_pair() -> None:
    assert [is_quoted(text) for text in ('"a"', "'a'", "\u2018a\u2019", '""')] == [True] * 4
    assert [is_quoted(text) for text in ('"a', "'", "a", "\"a'", "")] == [False] * 5


def test_a_token_of_the_usual_signs_has_no_fault() -> None:
    assert token_fault("eyJ0eXAi.eyJpc3Mi-_x~+/=9") == ""


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("PORTT", "PORT"),
        ("POORT", "PORT"),
        ("OPRT", ""),
        ("PRT", ""),
        ("PORTX", ""),
        ("PORTS", ""),
        ("REDIS_ULR", "REDIS_URL"),
        ("REDIS_UR", "REDIS_URL"),
        ("REDISS_URL", "REDIS_URL"),
        ("REDIS_URLS", ""),
        ("MY_REDIS_URL", ""),
        ("DATABASE_URI", "DATABASE_URL"),
    ],
)
def test_one_typing_error_is_recognised(name: str, right: str) -> None:
    assert closest_name(name, KNOWN, ours=False) == right


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("DHANHQ_TOKEN", "DHANHQ_ACCESS_TOKEN"),
        ("DHANHQ_ACCES_TOKN", "DHANHQ_ACCESS_TOKEN"),
        ("DATABASE_ADDRESS", ""),
        ("DATABASES_URLS", "DATABASE_URL"),
        ("REDIS_URL_2", ""),
        ("PRT", ""),
        ("SOMETHING_ELSE", ""),
    ],
)
def test_for_names_of_this_program_similarity_is_enough(name: str, right: str) -> None:
    assert closest_name(name, KNOWN, ours=True) == right
