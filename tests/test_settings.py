"""Settings that are wrong or unknown are refused by their own name when a process starts, and no secret is shown."""

import json
from base64 import b64encode
from pathlib import Path

import pytest

from domain.errors import ConfigurationError
from runtime.settings import (
    SECRET_SETTINGS,
    VARIABLES,
    Settings,
    find_unknown_variables,
    load_service_settings,
    load_settings,
)
from tests.delivery.receiver import SECRET

NUMBER = ("many", "nan", "inf", "-1", "1e300", "")
COUNT = (*NUMBER, "1.5")
URL = ("nonsense", "ftp://longlead.example", "https://", "https:///path", "https://a b.example", "http://h:99999")
URL = (*URL, "https://longlead.example?a=b", "https://longlead.example#a", "https://u:p@longlead.example", "h.example")
HOST = ("", "a b", "http://127.0.0.1", "127.0.0.1:8000", "999.1.1.1", "-a.example")
MODEL = ("gpt 4o", "a;b", '"gpt"')
KEY = ("two words", "line\nend", "schlüssel")
CHANNELS = ("nonsense", "[]", '{"pm": 7}', '{"pm": "nonsense"}', '{"": "log://"}', '{"pm": []}', "@/no/such/file")
CHANNELS = (*CHANNELS, json.dumps({"pm": {"webhook": "https://", "secret": SECRET}}))
PRICES = ("nonsense", "[]", '{"m": 1}', '{"m": {"input": 1}}', '{"m": {"input": "NaN", "output": 1}}')
PRICES = (*PRICES, '{"m": {"input": 1, "output": "Infinity"}}', '{"m": {"input": -1, "output": 1}}')


def _make_secret(size: int) -> str:
    """A webhook's secret of so many bytes."""
    return f"whsec_{b64encode(bytes(size)).decode()}"


NONSENSE: dict[str, tuple[str, ...]] = {
    "database_url": ("nonsense", "mysql://h/d", "postgresql://h:port/d", "postgresql://h:99999/d"),
    "data_dir": ("", __file__, f"{__file__}/below"),
    "host": (*HOST, "0.0.0.0"),
    "port": (*COUNT, "0", "65536", "tcp://10.0.0.1:8000"),
    "api_keys": ("nonsense", "{}", '[{"id": "a"}]', "@/no/such/file"),
    "concurrency": (*COUNT, "0", "1000"),
    "api_connections": (*COUNT, "0", "1000"),
    "poll_interval": (*NUMBER, "0"),
    "heartbeat_interval": (*NUMBER, "0"),
    "stalled_after": (*NUMBER, "0"),
    "tick_interval": (*COUNT, "0", "31"),
    "shutdown_grace": NUMBER,
    "event_attempts": (*COUNT, "0"),
    "event_outage_attempts": (*COUNT, "0"),
    "event_crashes": (*COUNT, "0"),
    "retry_base": (*NUMBER, "0"),
    "retry_longest_pause": (*NUMBER, "0"),
    "retention_events": (*COUNT, "0"),
    "retention_days": (*NUMBER, "0"),
    "retention_finished_days": (*NUMBER, "0"),
    "retention_interval": (*NUMBER, "0"),
    "metrics_port": (*COUNT, "65536"),
    "metrics_host": HOST,
    "log_level": ("LOUD", "", "20"),
    "log_format": ("xml", ""),
    "channels": CHANNELS,
    "erp_webhook_url": ("nonsense", "ftp://erp.example", "https:///path"),
    "erp_webhook_secret": ("nonsense", "whsec_short", *(_make_secret(size) for size in (1, 16, 23, 65))),
    "delivery_attempts": (*COUNT, "0"),
    "delivery_retry_base": (*NUMBER, "0"),
    "delivery_longest_pause": (*NUMBER, "0"),
    "delivery_timeout": (*NUMBER, "0", "61"),
    "public_url": URL,
    "link_secret": ("short",),
    "link_days": (*COUNT, "0", "91"),
    "models": (*MODEL, "[1", "[1]"),
    "models_reader": MODEL,
    "models_adviser": MODEL,
    "models_summariser": MODEL,
    "openai_api_key": KEY,
    "openai_base_url": URL,
    "model_timeout": (*NUMBER, "0", "601"),
    "model_temperature": ("hot", "nan", "inf", "-1", "3"),
    "model_tokens_per_day": ("many", "nan", "inf", "-1", "1e300", "1.5"),
    "model_cost_per_day": ("much", "NaN", "Infinity", "-1", "1e300"),
    "model_prices": PRICES,
    "prompt_tokens": (*COUNT, "100"),
    "embedding_model": (*MODEL, "a,b"),
    "embedding_dims": (*COUNT, "0", "4001"),
    "langfuse_public_key": KEY,
    "langfuse_secret_key": KEY,
    "langfuse_base_url": (*URL, ""),
    "langfuse_flush_interval": (*NUMBER, "0"),
    "url": (*URL, ""),
    "api_key": KEY,
    "max_connections": (*COUNT, "1"),
    "max_waiting": COUNT,
    "request_headers_timeout": (*NUMBER, "0"),
    "request_body_timeout": (*NUMBER, "0"),
}


SHARED = frozenset(name for name in Settings.model_fields if name.startswith("otel_"))
"""OpenTelemetry's own variables are also read by other programs of a machine: a wrong one stops nothing, and the log
names it (tests/tracing/test_otlp.py)."""


def test_every_setting_has_some_nonsense_that_is_refused() -> None:
    assert set(Settings.model_fields) - SHARED == set(NONSENSE), "a new setting needs a value here that it refuses"


@pytest.mark.parametrize(("setting", "value"), [(name, value) for name, values in NONSENSE.items() for value in values])
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(
    setting: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = VARIABLES[setting]
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as refused:
        load_service_settings()
    assert variable in refused.value.detail
    if setting in SECRET_SETTINGS and len(value) > 4 and not value.startswith("@"):
        assert value not in refused.value.detail


@pytest.mark.parametrize("setting", ["port", "log_level", "public_url", "poll_interval"])
def test_what_was_given_and_what_is_expected_are_told(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLES[setting], "nonsense")
    with pytest.raises(ConfigurationError, match=r"'nonsense': .*(valid|expected|should be)"):
        load_settings()


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("concurrency", "a whole number from 1 to 200 is expected"),
        ("model_timeout", "a number above 0 and up to 600 is expected"),
        ("model_temperature", "a number from 0 to 2 or none is expected"),
        ("model_tokens_per_day", "a whole number from 0 to 1000000000000000 or none is expected"),
        ("log_format", "one of auto, json, console is expected"),
    ],
)
@pytest.mark.parametrize("value", ["many", "-1", "1e300", "nan"])
def test_a_wrong_number_or_word_is_told_in_our_own_words(
    setting: str, expected: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLES[setting], value)
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    assert refused.value.detail == f"Wrong settings: {VARIABLES[setting]} is {value!r}: {expected}."


@pytest.mark.parametrize("setting", [name for name in sorted(NONSENSE) if name not in SECRET_SETTINGS])
def test_no_setting_is_told_of_in_a_library_s_words(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for value in NONSENSE[setting]:
        monkeypatch.setenv(VARIABLES[setting], value)
        with pytest.raises(ConfigurationError) as refused:
            load_settings()
        if f"{VARIABLES[setting]}." not in refused.value.detail:  # of a part within JSON
            assert "nput should" not in refused.value.detail
            assert "parse" not in refused.value.detail


@pytest.mark.parametrize("size", [24, 64])
def test_a_webhook_s_secret_may_have_as_many_bytes_as_the_standard_says(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGLEAD_ERP_WEBHOOK_URL", "https://erp.example/orders")
    monkeypatch.setenv("LONGLEAD_ERP_WEBHOOK_SECRET", _make_secret(size))
    assert load_settings().erp_webhook_secret.get_secret_value() == _make_secret(size)


@pytest.mark.parametrize("given", ["nonsense", "{", "[]", "7"])
def test_channels_that_are_no_json_object_are_told_so(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGLEAD_CHANNELS", given)
    with pytest.raises(ConfigurationError, match="LONGLEAD_CHANNELS: write a JSON object of recipients, each with an"):
        load_settings()


@pytest.mark.parametrize("unknown", ["LONGLEAD_TYPO", "LONGLEAD_NONSENSE", "LONGLEAD_X", "LONGLEAD_FOO_BAR"])
def test_nothing_is_suggested_for_a_name_that_is_like_none(unknown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(unknown, "1")
    assert find_unknown_variables() == [f"{unknown} is not a setting."]


def test_all_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGLEAD_PORT", "x")
    monkeypatch.setenv("LONGLEAD_PUBLIC_URL", "nonsense")
    monkeypatch.setenv("LONGLEAD_TYPO", "1")
    with pytest.raises(ConfigurationError) as refused:
        load_service_settings()
    for variable in ("LONGLEAD_PORT", "LONGLEAD_PUBLIC_URL", "LONGLEAD_TYPO"):
        assert variable in refused.value.detail


@pytest.mark.parametrize(
    ("unknown", "meant"),
    [
        ("LONGLEAD_CHANELS", "LONGLEAD_CHANNELS"),
        ("LONGLEAD_DATABSE_URL", "LONGLEAD_DATABASE_URL"),
        ("LONGLEAD_PUBLICURL", "LONGLEAD_PUBLIC_URL"),
        ("LONGLEAD_OPENAI_API_KEY", "OPENAI_API_KEY"),
        ("longlead_prot", "LONGLEAD_PORT"),
    ],
)
def test_an_unknown_setting_is_named_with_the_one_that_was_meant(
    unknown: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(unknown, "1")
    assert find_unknown_variables() == [f"{unknown} is not a setting; did you mean {meant}?"]
    with pytest.raises(ConfigurationError, match=unknown):
        load_service_settings()
    load_settings()  # a command that only asks the service goes on


def test_every_setting_is_known_in_any_case_and_so_is_what_kubernetes_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES.values():
        monkeypatch.setenv(variable.lower(), "1")
    for name in ("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT_8000_TCP", "PORT_8000_TCP_ADDR"):
        monkeypatch.setenv(f"LONGLEAD_{name}", "10.0.0.1")
    assert find_unknown_variables() == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("public_url", "https://longlead.example/behind/a/proxy"),
        ("public_url", "http://[::1]:8000"),
        ("host", "::1"),
        ("log_level", "warning"),
        ("models", "org/model:tag, gpt-4o"),
        ("model_prices", '{"m": {"input": "0.15", "output": 0.6}}'),
        ("database_url", "host=/run/postgresql dbname=longlead"),
        ("database_url", "postgresql://u:p%40@a:5432,b:5433/d"),
        ("channels", "{}"),
        ("data_dir", "/no/such/folder/yet"),
        ("model_cost_per_day", "none"),
    ],
)
def test_a_value_that_means_something_is_taken(setting: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLES[setting], value)
    load_service_settings()


def test_a_data_folder_may_be_named_from_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGLEAD_DATA_DIR", "~/longlead")
    assert load_settings().data_dir == Path.home() / "longlead"


@pytest.mark.parametrize("setting", ["public_url", "openai_base_url", "langfuse_base_url", "url"])
@pytest.mark.parametrize("value", ["https://user:hidden-word@h.example", "https://h.example/?api_key=hidden-word"])
def test_an_address_that_is_refused_shows_no_password_and_no_query(
    setting: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLES[setting], value)
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    assert "h.example" in refused.value.detail
    assert "hidden-word" not in refused.value.detail
