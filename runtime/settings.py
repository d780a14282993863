"""The only reader of the environment. Every setting is a variable `LONGLEAD_*`."""

import base64
import os
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar
from urllib.parse import unquote

from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.errors import ConfigurationError
from domain.plain_json import JsonObject
from domain.retries import RetrySchedule
from runtime.keys import ApiKey as ApiKey
from runtime.keys import check_keys, dump_keys, parse_keys, read_key_file
from runtime.settings_checks import (
    Folder,
    Host,
    ModelName,
    SecretToken,
    Token,
    Url,
    UrlOrNothing,
    check_database_url,
    check_models,
    check_webhook_url,
    describe_expected,
    describe_wrong,
    find_unknown,
    parse_json,
    split_names,
)

if TYPE_CHECKING:
    from storage.retention import Policy  # the command line reads settings, and needs no database for it


class ModelPrice(BaseModel):
    """What a model's tokens cost, per million, in whatever currency the budget is in."""

    model_config = ConfigDict(extra="forbid")

    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)


ModelNames = Annotated[list[str], NoDecode, BeforeValidator(split_names), AfterValidator(check_models)]


T = TypeVar("T")
Given = str | int | float | Path | list[str] | Mapping[str, "Given"] | None
"""What a setting is given as: text of the environment, or a value."""
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def _in_capitals(given: T) -> T | str:
    return given.upper() if isinstance(given, str) and given.upper() in _LEVELS else given


def _parse_prices(given: T) -> T | JsonObject:
    if not isinstance(given, str):
        return given
    expected = 'a JSON object such as {"model": {"input": 0.15, "output": 0.6}}'
    found = parse_json(given, expected)
    if not isinstance(found, dict):
        raise ValueError(f"{expected} is expected")
    return found


class Webhook(BaseModel):
    """Where messages are posted as JSON, signed after the Standard Webhooks spec."""

    model_config = ConfigDict(extra="forbid")

    webhook: SecretStr = Field(description="The address, https.")
    secret: SecretStr = Field(description="`whsec_` and the key in base64.")

    @model_validator(mode="after")
    def _usable(self) -> "Webhook":
        check_webhook_url(self.webhook)
        _check_webhook_secret(self.secret)
        return self


Target = SecretStr | Webhook
"""An Apprise URL, or a webhook."""
_CHANNELS: TypeAdapter[dict[str, Target | list[Target]]] = TypeAdapter(dict[str, Target | list[Target]])


MIN_SECRET_BYTES, MAX_SECRET_BYTES = 24, 64
"""What Standard Webhooks asks of a key."""
_SECRET_EXPECTED = f"a webhook's secret is `whsec_` and {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes in base64"


def _check_webhook_secret(secret: SecretStr) -> None:
    try:
        key = base64.b64decode(secret.get_secret_value().removeprefix("whsec_") + "==")
    except ValueError:
        key = b""
    if not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise ValueError(_SECRET_EXPECTED)


def _read_channels(given: Given) -> dict[str, list[Target]]:
    """Channels as the settings hold them; what is wrong is named by its key, since the rest may be secret."""
    if isinstance(given, str):
        given = _read_file(given) if given.startswith("@") else given
    try:
        if isinstance(given, str):
            found = _CHANNELS.validate_json(given) if given.strip() else {}
        else:
            found = _CHANNELS.validate_python(given)
    except ValidationError as error:
        where = ", ".join(sorted({repr(problem["loc"][0]) for problem in error.errors() if problem["loc"]}))
        raise ValueError(f"{where}: {_CHANNELS_EXPECTED}" if where else _CHANNELS_EXPECTED) from None
    made = {name: targets if isinstance(targets, list) else [targets] for name, targets in found.items()}
    wrong = sorted(
        name for name, targets in made.items() if not (name.strip() and targets and all(map(_is_way, targets)))
    )
    if wrong:
        raise ValueError(f"{', '.join(map(repr, wrong))}: {_CHANNELS_EXPECTED}")
    return made


_CHANNELS_EXPECTED = (
    "write a JSON object of recipients, each with an Apprise URL (mailto://..., log://), with "
    '{"webhook": url, "secret": "whsec_..."}, or with a list of these'
)


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}:")


def _is_way(target: Target) -> bool:
    """Whether it has at least the look of an address; which ones Apprise knows is asked at the service's start."""
    return isinstance(target, Webhook) or bool(_SCHEME.match(target.get_secret_value()))


def _read_file(given: str) -> str:
    """What the file holds that a setting names after @."""
    try:
        return Path(given[1:]).read_text()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise ValueError(f"the file {given[1:]!r} cannot be read: {why}; name a readable file after @") from None


def _read_keys(given: str) -> list[ApiKey]:
    """Keys as the setting names them. Only an empty setting is no key: what was meant to hold some must not let
    everybody on this machine in because it is empty."""
    if not given:
        return []
    if not given.startswith("@"):
        return parse_keys(given)
    try:
        return read_key_file(Path(given[1:]))
    except OSError as error:
        raise ValueError(
            f"the file {given[1:]!r} cannot be read: {error.strerror}; name a readable file after @"
        ) from error


class Settings(BaseSettings):
    """Settings of a Longlead process."""

    model_config = SettingsConfigDict(
        env_prefix="LONGLEAD_",
        extra="ignore",
        hide_input_in_errors=True,
        populate_by_name=True,
        allow_inf_nan=False,
        validate_default=False,
    )

    database_url: Annotated[str, AfterValidator(check_database_url)] = Field(
        "", description="A PostgreSQL, 14 or newer, to use; empty: the one that comes along, in the data directory."
    )
    data_dir: Folder = Field(Path(".longlead"), description="Where the embedded database lives.")
    host: Host = Field("127.0.0.1", description="Address that the API binds to; beyond loopback only with keys.")
    port: int = Field(8000, ge=1, le=65535, description="Port of the API.")
    api_keys: Annotated[list[ApiKey], NoDecode] = Field(
        [],
        description="Callers of the API as a JSON list; or @ and the path of a file, which is read again when it "
        "changes.",
    )
    concurrency: int = Field(
        20, ge=1, le=200, description="Buildings that a worker runs at once, each on a connection opened when needed."
    )
    api_connections: int = Field(10, ge=1, le=200, description="Database connections of the API.")
    poll_interval: float = Field(
        5.0, gt=0, le=3600, description="Seconds between looks for work that no notice announced."
    )
    heartbeat_interval: float = Field(10.0, gt=0, le=3600, description="Seconds between a worker's signs of life.")
    stalled_after: float = Field(
        30.0, gt=0, le=86400, description="Seconds without a sign of life until work is taken over."
    )
    tick_interval: int = Field(10, ge=1, le=30, description="Seconds between looks for what is due.")
    shutdown_grace: float = Field(15.0, ge=0, le=3600, description="Seconds that running work is given at shutdown.")
    event_attempts: int = Field(
        10, ge=1, le=1000, description="Failures of its own after which an event is dead: about 9 minutes."
    )
    event_outage_attempts: int = Field(
        60, ge=1, le=10_000, description="Failures by something outside after which an event is dead: about a day."
    )
    event_crashes: int = Field(10, ge=1, le=1000, description="Starts after which an event is dead, crashes included.")
    retry_base: float = Field(
        1.0, gt=0, le=3600, description="Seconds before the first retry of an event; doubled at each, with jitter."
    )
    retry_longest_pause: float = Field(
        1800.0, gt=0, le=86400, description="Most seconds between two attempts at an event."
    )
    retention_events: int = Field(
        200, ge=1, le=10**9, description="Last events of a building whose checkpoints are kept."
    )
    retention_days: float = Field(30.0, gt=0, le=36500, description="Days for which every checkpoint is kept.")
    retention_finished_days: float = Field(
        7.0,
        gt=0,
        le=36500,
        description="Days for which ended jobs, and messages that are delivered or logged, are kept.",
    )
    retention_interval: float = Field(
        3600.0, gt=0, le=31_536_000, description="Seconds between looks for what need not be kept."
    )
    metrics_port: int = Field(
        0, ge=0, le=65535, description="Port on which `longlead worker` shows its figures; 0: none."
    )
    metrics_host: Host = Field("127.0.0.1", description="Address that this port binds to.")
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_in_capitals)] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR."
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: console on a terminal, else json."
    )
    channels: Annotated[dict[str, list[Target]], NoDecode] = Field(
        {},
        description="Ways out for messages: a JSON object from a recipient's role or address, or a pattern such as "
        "*@example.com, to Apprise URLs or webhooks; or @ and the path of a file that holds it. Without: messages are "
        "only logged.",
    )
    erp_webhook_url: SecretStr = Field(SecretStr(""), description="Where purchase orders are posted; empty: nowhere.")
    erp_webhook_secret: SecretStr = Field(SecretStr(""), description="The key they are signed with: whsec_ and base64.")
    delivery_attempts: int = Field(
        140, ge=1, le=10_000, description="Failures after which a message for outside is dead: about five days."
    )
    delivery_retry_base: float = Field(
        10.0, gt=0, le=3600, description="Seconds before the first repeat of a message; doubled at each, with jitter."
    )
    delivery_longest_pause: float = Field(
        3600.0, gt=0, le=86400, description="Most seconds between two attempts at a message."
    )
    delivery_timeout: float = Field(10.0, gt=0, le=60, description="Seconds that one attempt may take.")
    public_url: UrlOrNothing = Field(
        "",
        description="Where people's browsers find the service: the base of links in messages; empty: http://host:port.",
    )
    link_secret: SecretStr = Field(
        SecretStr(""),
        description="What links are signed with, at least 32 characters; empty: made, and kept in the database. A new "
        "one ends all links.",
    )
    link_days: int = Field(7, ge=1, le=90, description="Days that a link in a message is good for.")
    models: ModelNames = Field([], description="Language models, cheap to strong, comma separated; empty: none.")
    models_reader: ModelNames = Field([], description="Models that read mails and replies; empty: LONGLEAD_MODELS.")
    models_adviser: ModelNames = Field([], description="Models that propose decisions; empty: LONGLEAD_MODELS.")
    models_summariser: ModelNames = Field([], description="Models that summarise; empty: LONGLEAD_MODELS.")
    openai_api_key: SecretToken = Field(
        SecretStr(""), validation_alias="OPENAI_API_KEY", description="Key of the models' server."
    )
    openai_base_url: UrlOrNothing = Field(
        "", validation_alias="OPENAI_BASE_URL", description="An OpenAI-compatible server; empty: OpenAI's own."
    )
    model_timeout: float = Field(
        30.0,
        gt=0,
        le=600,
        description="Seconds for one call of a model, repeats after 429 and 5xx included; a longer `Retry-After` is "
        "not waited for.",
    )
    model_temperature: float | None = Field(0.0, ge=0, le=2, description="none: not sent, for models that refuse it.")
    model_tokens_per_day: int | None = Field(
        1_000_000,
        ge=0,
        le=10**15,
        description="Most tokens that a building's calls take in a day of its zone; a policy may say otherwise.",
    )
    model_cost_per_day: Decimal | None = Field(
        None, ge=0, le=10**12, description="The same in money, where prices are known."
    )
    model_prices: Annotated[dict[str, ModelPrice], NoDecode, BeforeValidator(_parse_prices)] = Field(
        {}, description='Per million tokens: {"model": {"input": 0.15, "output": 0.6}}. Without: cost is unknown.'
    )
    prompt_tokens: int = Field(
        40_000,
        ge=4_000,
        le=1_000_000,
        description="Most tokens of a prompt; below the context of the smallest model, answer included.",
    )
    embedding_model: ModelName = Field("", description="Model whose vectors memory is searched by; empty: by words.")
    embedding_dims: int = Field(1536, ge=1, le=4000, description="Dimensions of its vectors.")
    langfuse_public_key: Token = Field(
        "", validation_alias="LANGFUSE_PUBLIC_KEY", description="Traces go to Langfuse where both keys are set."
    )
    langfuse_secret_key: SecretToken = Field(
        SecretStr(""), validation_alias="LANGFUSE_SECRET_KEY", description="Langfuse's secret key."
    )
    langfuse_base_url: Url = Field(
        "https://cloud.langfuse.com", validation_alias="LANGFUSE_BASE_URL", description="Langfuse's server."
    )
    langfuse_flush_interval: float = Field(
        5.0,
        gt=0,
        le=3600,
        validation_alias="LANGFUSE_FLUSH_INTERVAL",
        description="Seconds between sendings of traces.",
    )
    otel_endpoint: str = Field(
        "",
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="Traces go to this OTLP server, at /v1/traces; empty: to none.",
    )
    otel_traces_endpoint: str = Field(
        "",
        validation_alias="OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        description="The whole address for traces; comes before OTEL_EXPORTER_OTLP_ENDPOINT.",
    )
    otel_headers: SecretStr = Field(
        SecretStr(""),
        validation_alias="OTEL_EXPORTER_OTLP_HEADERS",
        description="Headers for that server: name=value, with commas between them; values percent-encoded.",
    )
    otel_traces_headers: SecretStr = Field(
        SecretStr(""),
        validation_alias="OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        description="Headers for traces; come before OTEL_EXPORTER_OTLP_HEADERS.",
    )
    otel_protocol: str = Field(
        "http/protobuf",
        validation_alias=AliasChoices("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"),
        description="http/protobuf; grpc only where opentelemetry-exporter-otlp-proto-grpc is installed.",
    )
    otel_service_name: str = Field(
        "longlead", validation_alias="OTEL_SERVICE_NAME", description="The service's name in traces."
    )
    url: Url = Field("http://127.0.0.1:8000", description="Where the command line finds the service.")
    api_key: Token = Field("", description="The key that the command line sends.")
    max_connections: int = Field(
        1000,
        ge=8,
        le=1_000_000,
        description="HTTP connections open at once, fewer where the process may open few files (`ulimit -n`). Above it "
        "the one that has sent no complete request for longest is closed.",
    )
    max_waiting: int = Field(
        100,
        ge=0,
        le=1_000_000,
        description="Requests with `Prefer: wait` that wait at once; others are answered 202 at once.",
    )
    request_headers_timeout: float = Field(
        10.0, gt=0, le=3600, description="Seconds until the headers of a request are complete; then 408."
    )
    request_body_timeout: float = Field(
        30.0, gt=0, le=3600, description="Seconds from there until its body is complete; then 408."
    )

    _keys_file: Path | None = PrivateAttr(None)

    @field_validator("channels", mode="before")
    @classmethod
    def _read_ways(cls, given: Given) -> dict[str, list[Target]]:
        return _read_channels(given)

    @model_validator(mode="wrap")
    @classmethod
    def _remember_file(cls, values: T, handler: ModelWrapValidatorHandler["Settings"]) -> "Settings":
        """Keep where the keys were read from, since they are read again when the file changes."""
        settings = handler(values)
        given = values.get("api_keys") if isinstance(values, dict) else None
        if isinstance(given, str) and given.startswith("@"):
            settings._keys_file = Path(given[1:]).absolute()
        return settings

    @model_validator(mode="after")
    def _guarded(self) -> "Settings":
        """What only several settings together can be wrong in; the message names them."""
        if self.host not in ("127.0.0.1", "::1", "localhost") and not self.api_keys:
            raise ValueError(
                f"LONGLEAD_HOST: host {self.host} is beyond loopback and no keys are configured: set "
                "LONGLEAD_API_KEYS, or bind to 127.0.0.1"
            )
        if self.shutdown_grace + self.heartbeat_interval >= self.stalled_after + 1:
            raise ValueError(
                "LONGLEAD_SHUTDOWN_GRACE plus LONGLEAD_HEARTBEAT_INTERVAL must stay under LONGLEAD_STALLED_AFTER: "
                f"{self.shutdown_grace:g} + {self.heartbeat_interval:g} against {self.stalled_after:g} seconds"
            )
        if bool(self.erp_webhook_url.get_secret_value()) != bool(self.erp_webhook_secret.get_secret_value()):
            raise ValueError(
                f"LONGLEAD_ERP_WEBHOOK_URL and LONGLEAD_ERP_WEBHOOK_SECRET: set both, or neither; {_SECRET_EXPECTED}"
            )
        return self

    @field_validator("erp_webhook_url")
    @classmethod
    def _check_erp_url(cls, url: SecretStr) -> SecretStr:
        return check_webhook_url(url) if url.get_secret_value() else url

    @field_validator("erp_webhook_secret")
    @classmethod
    def _check_erp_secret(cls, secret: SecretStr) -> SecretStr:
        if secret.get_secret_value():
            _check_webhook_secret(secret)
        return secret

    @field_validator("link_secret")
    @classmethod
    def _check_link_secret(cls, secret: SecretStr) -> SecretStr:
        if 0 < len(secret.get_secret_value()) < 32:
            raise ValueError("at least 32 characters are needed")
        return secret

    @field_validator("api_keys", mode="before")
    @classmethod
    def _read(cls, given: T) -> T | list[ApiKey]:
        return _read_keys(given) if isinstance(given, str) else given

    @field_validator("api_keys")
    @classmethod
    def _checked(cls, keys: list[ApiKey]) -> list[ApiKey]:
        check_keys(keys)
        return keys

    @property
    def keys_file(self) -> Path | None:
        """The file that the keys were read from; None where the setting itself holds them."""
        return self._keys_file

    @property
    def api_keys_variable(self) -> str:
        """What LONGLEAD_API_KEYS of a process is that is to know the same keys."""
        if self._keys_file is not None:
            return f"@{self._keys_file}"
        return dump_keys(self.api_keys) if self.api_keys else ""

    @cached_property
    def link_base(self) -> str:
        """What links in messages begin with."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")

    @field_validator("model_temperature", "model_tokens_per_day", "model_cost_per_day", mode="before")
    @classmethod
    def _none(cls, given: T) -> T | None:
        return None if isinstance(given, str) and given.strip().lower() in ("", "none") else given

    @property
    def failure_schedule(self) -> RetrySchedule:
        """For an event that fails by itself, which a bug does every time: the building waits for it meanwhile."""
        return RetrySchedule(self.retry_base, self.retry_longest_pause, self.event_attempts)

    @property
    def outage_schedule(self) -> RetrySchedule:
        """For an event that fails by something outside, which would befall the building's next event as well."""
        return RetrySchedule(self.retry_base, self.retry_longest_pause, self.event_outage_attempts)

    @property
    def delivery_schedule(self) -> RetrySchedule:
        """For a message that is not taken: days, as mail servers wait, since a receiver may be away a long weekend."""
        return RetrySchedule(self.delivery_retry_base, self.delivery_longest_pause, self.delivery_attempts)

    @cached_property
    def retention_policy(self) -> "Policy":
        from storage.retention import Policy

        return Policy(self.retention_events, self.retention_days, self.retention_finished_days)

    @cached_property
    def has_models(self) -> bool:
        return any((self.models, self.models_reader, self.models_adviser, self.models_summariser))

    @property
    def has_readers(self) -> bool:
        """Whether a model is configured that reads mails and replies."""
        return bool(self.models or self.models_reader)

    @cached_property
    def has_langfuse(self) -> bool:
        return bool(self.langfuse_public_key and self.langfuse_secret_key.get_secret_value())

    @cached_property
    def has_otlp(self) -> bool:
        """Whether an OTLP server for traces is configured."""
        return bool(self.otlp_url)

    @cached_property
    def otlp_url(self) -> str:
        """The address that traces are sent to; empty: none. It is not checked: a variable that is meant for other
        programs too must not keep this one from starting."""
        base = self.otel_endpoint.strip()
        if self.otel_traces_endpoint.strip() or not base or self.otlp_protocol == "grpc":
            return self.otel_traces_endpoint.strip() or base
        return f"{base.rstrip('/')}/v1/traces"

    @property
    def otlp_protocol(self) -> str:
        """The protocol in which traces are sent; an empty variable is none, as OpenTelemetry has it."""
        return self.otel_protocol.strip().lower() or "http/protobuf"

    @cached_property
    def otlp_headers(self) -> dict[str, str]:
        """Headers for the OTLP server; what is no name=value is left out, as OpenTelemetry does."""
        given = self.otel_traces_headers.get_secret_value() or self.otel_headers.get_secret_value()
        pairs = (part.partition("=") for part in given.split(","))
        return {unquote(name).strip().lower(): unquote(value).strip() for name, sign, value in pairs if sign and name}

    @cached_property
    def embedded(self) -> bool:
        return not self.database_url


def _variable_of(name: str, alias: str | AliasPath | AliasChoices | None) -> str:
    first = alias.choices[0] if isinstance(alias, AliasChoices) else alias
    return str(first or f"LONGLEAD_{name.upper()}")


VARIABLES: dict[str, str] = {
    name: _variable_of(name, field.validation_alias) for name, field in Settings.model_fields.items()
}
"""The variable that each setting is read from."""

SECRET_SETTINGS = frozenset(
    {"database_url", "api_keys", "api_key", "channels", "langfuse_public_key"}
    | {name for name, field in Settings.model_fields.items() if field.annotation is SecretStr}
)
"""Settings whose value is never shown: it is a secret, or may hold one."""


def load_settings(**overrides: Given) -> Settings:
    """Read the environment.

    Raises:
        ConfigurationError: a setting is wrong; the message names its variable.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = "; ".join(map(_in_words, error.errors(include_url=False)))
        raise ConfigurationError(f"Wrong settings: {problems}.") from None


def load_service_settings(**overrides: Given) -> Settings:
    """The same for a process that is to run for long: a variable that is no setting is refused too, since what it was
    meant to set keeps its default.

    Raises:
        ConfigurationError: a setting is wrong or unknown; the message names its variable.
    """
    unknown, wrong, settings = find_unknown_variables(), "", None
    try:
        settings = load_settings(**overrides)
    except ConfigurationError as error:
        wrong = error.detail
    if unknown:
        told = f"Unknown settings: {' '.join(unknown)} Correct the name, or take it out."
        wrong = f"{wrong} {told}".lstrip()
    if settings is None or wrong:
        raise ConfigurationError(wrong)
    return settings


def find_unknown_variables() -> list[str]:
    """A sentence for each variable LONGLEAD_* of the environment that is no setting."""
    return find_unknown(os.environ, VARIABLES.values())


def _in_words(problem: ErrorDetails) -> str:
    """One wrong setting: its variable, what was given, what is expected."""
    loc, message = problem["loc"], problem["msg"]
    if not loc:
        return message.removeprefix("Value error, ")
    name = _setting_of(str(loc[0]))
    inside = "".join(f".{part}" for part in loc[1:])
    whole = len(loc) == 1
    if whole and problem["type"] != "value_error":
        message = describe_expected(Settings.model_fields[name]) or message
    return describe_wrong(
        f"{VARIABLES[name]}{inside}", message, problem["input"] if whole else None, secret=name in SECRET_SETTINGS
    )


def _setting_of(loc: str) -> str:
    """The name of a setting, whether pydantic says its name or its variable."""
    return next((name for name, variable in VARIABLES.items() if loc in (name, variable)), loc)


_FAMILIES = ("LONGLEAD_", "OPENAI_", "LANGFUSE_", "OTEL_", "PG")
"""What the names of variables begin with that change what we do: ours, those of models and traces, and libpq's."""


def child_environment(changed: Mapping[str, str], *, fresh: bool = False) -> dict[str, str]:
    """The environment for a process that this one starts, with variables changed; `fresh`: without any settings."""
    kept = {name: value for name, value in os.environ.items() if not (fresh and name.startswith(_FAMILIES))}
    return {**kept, **changed}
