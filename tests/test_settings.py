"""Settings: the defaults that operators rely on, secrets that stay secret, a sentence for each refusal."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from ltp import settings as settings_module
from ltp.core.clients.client_address import client_of
from ltp.errors import ConfigError
from ltp.settings import describe, load

DEFAULTS = {
    "DHANHQ_WS_ENABLED": "false",
    "DHANHQ_CLIENT_ID": "",
    "DHANHQ_ACCESS_TOKEN": "",
    "DHANHQ_WS_MODE": "quote",
    "DHANHQ_WS_URL": "wss://api-feed.dhan.co",
    "DHANHQ_REST_URL": "https://api.dhan.co/v2",
    "REDIS_URL": "redis://localhost:6379/0",
    "MARKET_CALENDAR": "nse",
    "BIND": "127.0.0.1",
    "PORT": "8000",
    "TRUSTED_HOSTS": "",
    "AUTH": "",
    "TRUSTED_PROXIES": "127.0.0.0/8, ::1, unix",
    "COUNT_LOOPBACK": "false",
    "MAX_REQUESTS_PER_CLIENT": "200",
    "HEALTH_BIND": "",
    "WEB_CONCURRENCY": "2",
    "STREAM_MIN_INTERVAL_MS": "200",
    "STREAM_STALL_TIMEOUT_S": "15.0",
    "DEMAND_TTL_S": "60.0",
    "POLL_INTERVAL_MS": "1500",
    "ALERTS_ALLOW_INTERNAL": "false",
    "SMTP_URL": "",
    "SMTP_FROM": "",
}


pytestmark = pytest.mark.usefixtures("nothing_set")


def shown() -> dict[str, str]:
    return {name: value for name, value, _ in describe(load())}


@pytest.mark.parametrize(("name", "value"), DEFAULTS.items())
def test_a_default(name: str, value: str) -> None:
    assert shown()[name] == value


def test_streams_leave_500_descriptors_for_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (20_000, 20_000))
    assert load().max_streams == 19_500


def test_the_database_is_a_file_in_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().database == f"sqlite:///{tmp_path}/state/ltp.sqlite3"
    monkeypatch.setenv("STATE_DIR", "/var/lib/ltp")
    assert shown()["DATABASE_URL"] == "sqlite:////var/lib/ltp/ltp.sqlite3"


def test_frames_are_captured_only_where_a_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().capture_dir is None
    monkeypatch.setenv("CAPTURE_DIR", "/var/lib/ltp/frames")
    assert load().capture_dir == Path("/var/lib/ltp/frames")


def test_every_setting_has_a_description() -> None:
    for name, _, meaning in describe(load()):
        assert meaning.endswith("."), name


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().port = 1


@pytest.mark.parametrize(
    ("value", "enabled"),
    [("true", True), ("TRUE ", True), ("1", True), ("false", False), ("Off", False), ("", False)],
)
def test_only_true_connects_to_the_feed(monkeypatch: pytest.MonkeyPatch, value: str, enabled: bool) -> None:
    monkeypatch.setenv("DHANHQ_WS_ENABLED", value)
    assert load().dhanhq_ws_enabled is enabled


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("PORT", "abc", "a whole number from 1 to 65535"),
        ("PORT", "65536", "a whole number from 1 to 65535"),
        ("WEB_CONCURRENCY", "0", "a whole number from 1 to 64"),
        ("MAX_STREAMS", "-1", "a whole number from 1 to 1000000"),
        ("MAX_STREAMS", "2147483647", "a whole number from 1 to 1000000"),
        ("DHANHQ_WS_ENABLED", "ture", "true or false"),
        ("DHANHQ_WS_ENABLED", "2", "true or false"),
        ("SCREENER_UNIVERSE", "nifty5", "nifty50, nifty100, nifty200, nifty500, fno, all, list-NAME or off"),
        ("SCREENER_UNIVERSE", "list-", "nifty50, nifty100, nifty200, nifty500, fno, all, list-NAME or off"),
        ("PORT", '"8000"', "the quotes around it would be part of it; leave them out"),
        ("STATE_DIR", "\u201cstate\u201d", "the quotes around it would be part of it; leave them out"),
        ("STREAM_STALL_TIMEOUT_S", "nan", "a number from 0.1 to 600"),
        ("DEMAND_TTL_S", "forever", "a number from 5 to 3600"),
        ("DHANHQ_WS_MODE", "depth", "ticker, quote or full"),
        ("MARKET_CALENDAR", "bse", "nse or always_open"),
        ("LOG_LEVEL", "LOUD", "DEBUG, INFO, WARNING or ERROR"),
        ("DHANHQ_WS_URL", "https://api-feed.dhan.co", "an address such as wss://api-feed.dhan.co"),
        ("DHANHQ_WS_URL", "ws://host:99999", "an address such as wss://api-feed.dhan.co"),
        ("DHANHQ_WS_URL", "wss://api-feed.dhan.co/#x", "an address such as wss://api-feed.dhan.co"),
        ("DHANHQ_REST_URL", "api.dhan.co", "an address such as https://api.dhan.co/v2"),
        ("DHANHQ_REST_URL", "https://api dhan co/v2", "an address such as https://api.dhan.co/v2"),
        ("COUNT_LOOPBACK", "perhaps", "true or false"),
        ("MAX_REQUESTS_PER_CLIENT", "0", "a whole number from 1 to 1000000"),
        ("AUTH", "password", "none, or nothing"),
        (
            "TRUSTED_HOSTS",
            "https://prices.example.com",
            "host names and addresses with commas between them, without port, such as prices.example.com, 192.168.1.10",
        ),
        ("HEALTH_BIND", "8001", "an address such as 127.0.0.1:8001 or unix:/run/ltp/health.sock"),
        ("HEALTH_BIND", "localhost:8001", "an address such as 127.0.0.1:8001 or unix:/run/ltp/health.sock"),
        ("HEALTH_BIND", "unix:", "an address such as 127.0.0.1:8001 or unix:/run/ltp/health.sock"),
        ("HEALTH_BIND", "unix:health.sock", "an address such as 127.0.0.1:8001 or unix:/run/ltp/health.sock"),
        ("HEALTH_BIND", "127.0.0.1:8000", "an address other than that of BIND and PORT, where the site is"),
        ("HEALTH_BIND", "127.0.0.1:0", "an address such as 127.0.0.1:8001 or unix:/run/ltp/health.sock"),
        (
            "TRUSTED_PROXIES",
            "nginx",
            "addresses and networks of proxies with commas between them, such as 127.0.0.0/8, ::1, unix, or none",
        ),
    ],
)
def test_a_refusal_names_variable_value_and_accepted_values(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, accepted: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        load()
    assert str(caught.value) == f"{name}={value!r} is not accepted: {accepted}"


def test_the_trusted_proxies_of_the_settings_decide_on_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.1")
    assert client_of("10.0.0.1", "198.51.100.1", load().proxies) == "198.51.100.1"
    assert client_of("127.0.0.1", "", load().proxies) == ""
    monkeypatch.setenv("COUNT_LOOPBACK", "true")
    assert client_of("127.0.0.1", "", load().proxies) == "127.0.0.1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BIND", "0.0.0.0"),
        ("BIND", "::"),
        ("BIND", "192.168.1.10"),
        ("BIND", "prices"),
        ("TRUSTED_HOSTS", "localhost, prices.example.com"),
    ],
)
def test_others_are_let_in_only_where_it_is_written_out(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(
        ConfigError,
        match=r"^AUTH='' is not accepted: (BIND|TRUSTED_HOSTS)=\S+ lets others .*AUTH=none allows that$",
    ):
        load().refuse_open_door()
    monkeypatch.setenv("AUTH", "None")
    load().refuse_open_door()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BIND", "127.0.0.1"),
        ("BIND", "127.0.0.2"),
        ("BIND", "::1"),
        ("BIND", "localhost"),
        ("BIND", "unix:/run/ltp/web.sock"),
        ("TRUSTED_HOSTS", "ltp.localhost, 127.0.0.3"),
    ],
)
def test_this_machine_needs_no_word(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    load().refuse_open_door()


def test_the_address_that_is_listened_on_is_a_host_of_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIND", "192.168.1.10")
    assert load().hosts.allows("192.168.1.10:8000")
    monkeypatch.setenv("BIND", "0.0.0.0")
    assert not load().hosts.allows("0.0.0.0:8000")


def test_a_feed_address_with_a_query_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DHANHQ_WS_URL", "wss://api-feed.dhan.co?token=hunter2")
    with pytest.raises(ConfigError, match="DHANHQ_WS_URL") as caught:
        load()
    assert "hunter2" not in str(caught.value)


def test_a_refused_address_does_not_repeat_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DHANHQ_REST_URL", "ftp://user:hunter2@host/v2?key=hunter2")
    with pytest.raises(ConfigError) as caught:
        load()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["dhanhq_client_id", "dhanhq_access_token", "redis_url", "database_url", "smtp_url"]
)
def test_a_secret_may_lie_in_a_file_which_is_read_each_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "secret"
    file.write_text("first\n")
    monkeypatch.setenv(name.upper(), "from the environment")
    monkeypatch.setenv(f"{name.upper()}_FILE", str(file))
    settings = load()
    assert settings.secret(name) == "first"
    file.write_text("second")
    assert settings.secret(name) == "second"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "binary"])
def test_a_secret_file_that_cannot_be_read_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("DHANHQ_ACCESS_TOKEN_FILE", str(file))
    with pytest.raises(
        ConfigError, match=f"TOKEN_FILE='{file}' is not accepted: it must name a readable text file"
    ):
        load().secret("dhanhq_access_token")


def test_no_secret_is_ever_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "id").write_text("CANARY-id")
    monkeypatch.setenv("DHANHQ_CLIENT_ID_FILE", str(tmp_path / "id"))
    monkeypatch.setenv("DHANHQ_ACCESS_TOKEN", "CANARY-token")
    monkeypatch.setenv("REDIS_URL", "redis://user:CANARY-redis@host:6379/0?password=CANARY-query")
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:CANARY/@sql@host/ltp")
    monkeypatch.setenv("SMTP_URL", "smtp://user:CANARY-smtp@host")
    assert "CANARY" not in repr(load())
    monkeypatch.setenv("DHANHQ_WS_URL", "wss://user:CANARY-ws@host")
    values = shown()
    assert "CANARY" not in repr(values)
    assert values["DHANHQ_CLIENT_ID"] == values["DHANHQ_ACCESS_TOKEN"] == "***"
    assert values["REDIS_URL"] == "redis://***@host:6379/0?***"
    assert values["DATABASE_URL"] == "postgresql://***@host/ltp"


def test_prices_count_as_dhanhqs_only_from_both_of_its_addresses() -> None:
    assert load().source == "dhanhq"
    assert load(dhanhq_ws_url="wss://api-feed.dhan.co/").source == "dhanhq"
    assert load(dhanhq_ws_url="ws://127.0.0.1:9").source == "simulator"
    assert load(dhanhq_rest_url="http://127.0.0.1:9/v2").source == "simulator"


def test_an_env_file_counts_less_than_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=8001\nWEB_CONCURRENCY=3\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("PORT", "8002")
    assert (load().port, load().web_concurrency) == (8002, 3)


def test_an_env_file_that_is_no_text_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"PORT=\xff\xfe")
    with pytest.raises(ConfigError, match=r"\.env"):
        load()


def test_an_env_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfPORT=8001\r\nBIND='::1'\r\n")
    assert (load().port, load().bind) == (8001, "::1")


def test_an_env_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(ConfigError, match=r"^\.env='\.env' is not accepted: it is a folder"):
        load()


@pytest.mark.parametrize("line", ["PORT 8001", "PORT", 'BIND="127.0.0.1', "DHANHQ_ACCESS_TOKEN='CANARY"])
def test_a_line_that_sets_nothing_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(f"# ours\nWEB_CONCURRENCY=3\n{line}\n")
    with pytest.raises(ConfigError, match=r"^\.env='line 3' is not accepted: a line is NAME=value") as caught:
        load()
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("PORTT", "PORT"),
        ("PROT", "PORT"),
        ("bindd", "BIND"),
        ("REDIS_URLL", "REDIS_URL"),
        ("WEB_CONCURENCY", "WEB_CONCURRENCY"),
        ("DATABSE_URL", "DATABASE_URL"),
        ("DHANHQ_TOKEN", "DHANHQ_ACCESS_TOKEN"),
        ("DHANHQ_ACCESTOKEN_FILE", "DHANHQ_ACCESS_TOKEN_FILE"),
    ],
)
@pytest.mark.parametrize("place", ["environment", "file"])
def test_a_misspelt_name_is_refused_with_the_right_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, right: str, place: str
) -> None:
    if place == "file":
        (tmp_path / ".env").write_text(f"PORT=8000\n{name}=CANARY\n")
    else:
        monkeypatch.setenv(name, "CANARY")
    with pytest.raises(ConfigError) as caught:
        load()
    assert (
        str(caught.value)
        == f"{name.upper()}='***' is not accepted: there is no such setting; did you mean {right}?"
    )


@pytest.mark.parametrize(
    "name",
    [
        "PORTS",
        "POST",
        "PORT2",
        "REPORT",
        "BIN",
        "BLIND",
        "MY_PORT",
        "PORT_HTTP",
        "DHANHQ_X",
        "REDIS_PORT",
        "LOGLEVEL",
    ],
)
def test_another_programs_variable_is_left_alone(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    assert load().port == 8000


@pytest.mark.parametrize(
    "value",
    [
        "0.0.0.0:80",
        "256.1.1.1",
        "1.2.3",
        "http://localhost",
        "a b",
        "[::1]",
        "*",
        "-x",
        "/run/ltp/web.sock",
        "unix:x",
    ],
)
def test_where_to_listen_is_an_address_without_more(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("BIND", value)
    with pytest.raises(ConfigError) as caught:
        load()
    accepted = (
        "an address of this machine such as 127.0.0.1, :: or localhost, or unix:/PATH; the port is PORT's"
    )
    assert str(caught.value) == f"BIND={value!r} is not accepted: {accepted}"


@pytest.mark.parametrize(
    "value", ["0.0.0.0", "::", "fe80::1", "localhost", "web-1.example.com", " 127.0.0.1 "]
)
def test_an_address_or_a_name_to_listen_at(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("BIND", value)
    assert load().bind == value.strip()


@pytest.mark.parametrize(
    ("value", "path"),
    [("unix:/run/web.sock", "/run/web.sock"), ("unix:///run/web.sock", "/run/web.sock"), ("::1", "")],
)
def test_the_path_of_a_unix_socket_is_without_its_prefix(
    monkeypatch: pytest.MonkeyPatch, value: str, path: str
) -> None:
    monkeypatch.setenv("BIND", value)
    assert load().bind_path == path


def test_a_token_file_with_a_byte_order_mark_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xef\xbb\xbfeyJ0.eyJ1._-x\r\n")
    monkeypatch.setenv("DHANHQ_ACCESS_TOKEN_FILE", str(tmp_path / "token"))
    assert load().secret("dhanhq_access_token") == "eyJ0.eyJ1._-x"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ('"CANARY"', "character 1 is quotation mark"),
        ("CANARY one", "character 7 is a space"),
        ("CANARY\nCANARY", "character 7 is a line end"),
        ("CAN\ufeffARY", "character 4 is a byte order mark"),
        ("\u201cCANARY", "character 1 is left double quotation mark"),
        ("CANARY\x00", "character 7 is u+0000"),
    ],
)
def test_a_character_that_no_token_has_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str, fault: str
) -> None:
    file = tmp_path / "token"
    file.write_text(content, newline="")
    monkeypatch.setenv("DHANHQ_ACCESS_TOKEN_FILE", str(file))
    with pytest.raises(ConfigError) as caught:
        load().secret("dhanhq_access_token")
    assert str(caught.value).startswith(
        f"DHANHQ_ACCESS_TOKEN_FILE='{file}' is not accepted: {fault}, which cannot be in it"
    )
    assert "CANARY" not in str(caught.value)


def test_a_token_in_another_encoding_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes("eyJ0".encode("utf-16"))
    monkeypatch.setenv("DHANHQ_ACCESS_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(ConfigError, match="it must name a readable text file \\(it is no UTF-8\\)"):
        load().secret("dhanhq_access_token")


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    assert load().port == 8000


def test_the_environment_is_read_nowhere_else() -> None:
    package = Path(settings_module.__file__).parent
    allowed = {
        "settings.py",
        "runner.py",
        "processes.py",
        "subprocess_job.py",
        "push_services.py",  # takes the proxies out of it
    }  # the others hand the environment on to children
    readers = [
        file
        for file in package.rglob("*.py")
        if file.name not in allowed and "os.environ" in file.read_text(encoding="utf-8")
    ]
    assert readers == []


def test_the_master_is_dhanhqs_while_the_feed_is_unless_an_address_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load().master_url == ""
    monkeypatch.setenv("DHANHQ_WS_ENABLED", "true")
    assert load().master_url == "https://images.dhan.co/api-data/api-scrip-master-detailed.csv"
    monkeypatch.setenv("DHANHQ_REST_URL", "http://127.0.0.1:9/v2")
    assert load().master_url == ""
    monkeypatch.setenv("INSTRUMENT_MASTER_URL", "https://example.com/master.csv.gz")
    assert load().master_url == "https://example.com/master.csv.gz"
    monkeypatch.delenv("DHANHQ_REST_URL")
    monkeypatch.setenv("INSTRUMENT_MASTER_URL", "OFF")
    assert load().master_url == ""


@pytest.mark.parametrize("value", ["ftp://example.com/x", "/tmp/master.csv", "http://", "http://h:0/x"])
def test_a_master_that_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("INSTRUMENT_MASTER_URL", value)
    with pytest.raises(ConfigError, match=r"an address such as https://images.dhan.co/\S+ or off"):
        load()
