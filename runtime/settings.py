"""The only reader of the environment. Every setting is a variable `LONGLEAD_*`."""

import base64
import json
import os
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import (
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
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.errors import ConfigurationError
from runtime.keys import ApiKey as ApiKey
from runtime.keys import check_keys, dump_keys, parse_keys, read_key_file

if TYPE_CHECKING:
    from storage.retention import Policy  # the command line reads settings, and needs no database for it


class ModelPrice(BaseModel):
    """What a model's tokens cost, per million, in whatever currency the budget is in."""

    model_config = ConfigDict(extra="forbid")

    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)


def _listed(given: object) -> object:
    """Names, comma separated; or a JSON list, as other settings that are lists have it."""
    if not isinstance(given, str):
        return given
    if given.lstrip().startswith("["):
        try:
            return json.loads(given)
        except ValueError as error:
            raise ValueError("looks like a JSON list and is none; write names with commas between them") from error
    return [name.strip() for name in given.split(",") if name.strip()]


ModelNames = Annotated[list[str], NoDecode, BeforeValidator(_listed)]


class Webhook(BaseModel):
    """Where messages are posted as JSON, signed after the Standard Webhooks spec."""

    model_config = ConfigDict(extra="forbid")

    webhook: SecretStr = Field(description="The address, https.")
    secret: SecretStr = Field(description="`whsec_` and the key in base64.")

    @model_validator(mode="after")
    def _usable(self) -> "Webhook":
        _check_webhook(self.webhook, self.secret)
        return self


Target = SecretStr | Webhook
"""An Apprise URL, or a webhook."""
_CHANNELS: TypeAdapter[dict[str, Target | list[Target]]] = TypeAdapter(dict[str, Target | list[Target]])


def _check_webhook(url: SecretStr, secret: SecretStr) -> None:
    if not url.get_secret_value().startswith(("http://", "https://")):
        raise ValueError("a webhook's address begins with https://")
    try:
        key = base64.b64decode(secret.get_secret_value().removeprefix("whsec_") + "==")
    except ValueError:
        key = b""
    if len(key) < 16:
        raise ValueError("a webhook's secret is `whsec_` and at least 24 bytes in base64")


def _read_channels(given: object) -> object:
    """Channels as the settings hold them; what is wrong is named by its key, since the rest may be secret."""
    if isinstance(given, str):
        given = Path(given[1:]).read_text() if given.startswith("@") else given
    try:
        if isinstance(given, str):
            found = _CHANNELS.validate_json(given) if given.strip() else {}
        else:
            found = _CHANNELS.validate_python(given)
    except ValidationError as error:
        where = ", ".join(sorted({str(problem["loc"][0]) if problem["loc"] else "JSON" for problem in error.errors()}))
        raise ValueError(
            f"channels: {where}: write a JSON object of recipients, each with an Apprise URL, with "
            '{"webhook": url, "secret": "whsec_..."}, or with a list of these'
        ) from None
    return {name: made if isinstance(made, list) else [made] for name, made in found.items()}


def _read_keys(given: str) -> list[ApiKey]:
    """Keys as the setting names them. Only an empty setting is no key: what was meant to hold some must not let
    everybody on this machine in because it is empty."""
    if not given:
        return []
    return read_key_file(Path(given[1:])) if given.startswith("@") else parse_keys(given)


class Settings(BaseSettings):
    """Settings of a Longlead process."""

    model_config = SettingsConfigDict(
        env_prefix="LONGLEAD_", extra="ignore", hide_input_in_errors=True, populate_by_name=True
    )

    database_url: str = Field("", description="PostgreSQL to use; empty: an embedded one in the data directory.")
    data_dir: Path = Field(Path(".longlead"), description="Where the embedded database lives.")
    host: str = Field("127.0.0.1", description="Address that the API binds to; beyond loopback only with keys.")
    port: int = Field(8000, ge=1, le=65535, description="Port of the API.")
    api_keys: Annotated[list[ApiKey], NoDecode] = Field(
        [], description="Callers of the API as a JSON list, or @ and the path of a file that holds it."
    )
    concurrency: int = Field(20, ge=1, le=200, description="Buildings that a worker process runs at once.")
    api_connections: int = Field(10, ge=1, le=200, description="Database connections of the API.")
    poll_interval: float = Field(5.0, gt=0, description="Seconds between looks for work that no notice announced.")
    heartbeat_interval: float = Field(10.0, gt=0, description="Seconds between a worker's signs of life.")
    stalled_after: float = Field(30.0, gt=0, description="Seconds without a sign of life until work is taken over.")
    tick_interval: int = Field(10, ge=1, le=30, description="Seconds between looks for what is due.")
    shutdown_grace: float = Field(15.0, ge=0, description="Seconds that running work is given at shutdown.")
    event_attempts: int = Field(5, ge=1, description="Failures after which an event is dead.")
    event_crashes: int = Field(10, ge=1, description="Starts after which an event is dead, crashes included.")
    retry_base: float = Field(1.0, gt=0, description="Seconds before the first retry; doubled at each, with jitter.")
    retention_events: int = Field(200, ge=1, description="Last events of a building whose checkpoints are kept.")
    retention_days: float = Field(30.0, gt=0, description="Days for which every checkpoint is kept.")
    retention_finished_days: float = Field(
        7.0, gt=0, description="Days for which ended jobs and delivered messages are kept."
    )
    retention_interval: float = Field(3600.0, gt=0, description="Seconds between looks for what need not be kept.")
    metrics_port: int = Field(
        0, ge=0, le=65535, description="Port on which `longlead worker` shows its figures; 0: none."
    )
    metrics_host: str = Field("127.0.0.1", description="Address that this port binds to.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_format: Literal["auto", "json", "console"] = Field("auto", description="auto: console on a terminal.")
    channels: Annotated[dict[str, list[Target]], NoDecode] = Field(
        {},
        description="Ways out for messages: a JSON object from a recipient's role or address, or a pattern such as "
        "*@example.com, to Apprise URLs or webhooks; or @ and the path of a file that holds it. Without: the log.",
    )
    erp_webhook_url: SecretStr = Field(SecretStr(""), description="Where purchase orders are posted; empty: nowhere.")
    erp_webhook_secret: SecretStr = Field(SecretStr(""), description="What they are signed with: whsec_ and base64.")
    delivery_attempts: int = Field(12, ge=1, description="Failures after which a message for outside is dead.")
    delivery_retry_base: float = Field(10.0, gt=0, description="Seconds before the first repeat; doubled, to 1 h.")
    delivery_timeout: float = Field(10.0, gt=0, le=60, description="Seconds that one attempt may take.")
    public_url: str = Field("", description="Where people's browsers find the service: the base of links in messages.")
    link_secret: SecretStr = Field(SecretStr(""), description="What links are signed with; empty: made and kept.")
    link_days: int = Field(7, ge=1, le=90, description="Days that a link in a message is good for.")
    models: ModelNames = Field([], description="Language models, cheap to strong, comma separated; empty: none.")
    models_reader: ModelNames = Field([], description="Models that read mails and replies; empty: LONGLEAD_MODELS.")
    models_adviser: ModelNames = Field([], description="Models that propose decisions; empty: LONGLEAD_MODELS.")
    models_summariser: ModelNames = Field([], description="Models that summarise; empty: LONGLEAD_MODELS.")
    openai_api_key: SecretStr = Field(
        SecretStr(""), validation_alias="OPENAI_API_KEY", description="Key of the models' server."
    )
    openai_base_url: str = Field(
        "", validation_alias="OPENAI_BASE_URL", description="An OpenAI-compatible server; empty: OpenAI's own."
    )
    model_timeout: float = Field(30.0, gt=0, le=600, description="Seconds for one call of a model, repeats included.")
    model_temperature: float | None = Field(0.0, ge=0, le=2, description="none: not sent, for models that refuse it.")
    model_tokens_per_day: int | None = Field(
        1_000_000, ge=0, description="Most tokens that a building's calls take in a day of its zone."
    )
    model_cost_per_day: Decimal | None = Field(None, ge=0, description="Most that they cost, where prices are known.")
    model_prices: dict[str, ModelPrice] = Field(
        {}, description='Per million tokens: {"model": {"input": 0.15, "output": 0.6}}. Without: cost is unknown.'
    )
    prompt_tokens: int = Field(
        40_000, ge=4_000, le=1_000_000, description="Most tokens of a prompt; smaller for models of a small context."
    )
    embedding_model: str = Field("", description="Model whose vectors memory is searched by; empty: by words.")
    embedding_dims: int = Field(1536, ge=1, le=4000, description="Dimensions of its vectors.")
    langfuse_public_key: str = Field(
        "", validation_alias="LANGFUSE_PUBLIC_KEY", description="Traces go to Langfuse where both keys are set."
    )
    langfuse_secret_key: SecretStr = Field(
        SecretStr(""), validation_alias="LANGFUSE_SECRET_KEY", description="Langfuse's secret key."
    )
    langfuse_base_url: str = Field(
        "https://cloud.langfuse.com", validation_alias="LANGFUSE_BASE_URL", description="Langfuse's server."
    )
    langfuse_flush_interval: float = Field(
        5.0, gt=0, validation_alias="LANGFUSE_FLUSH_INTERVAL", description="Seconds between sendings of traces."
    )
    url: str = Field("http://127.0.0.1:8000", description="Where the command line finds the service.")
    api_key: str = Field("", description="The key that the command line sends.")
    max_connections: int = Field(
        1000, ge=8, description="HTTP connections open at once; fewer where the process may open few files."
    )
    max_waiting: int = Field(
        100, ge=0, description="Requests with `Prefer: wait` that wait at once; others are answered 202 at once."
    )
    request_headers_timeout: float = Field(
        10.0, gt=0, description="Seconds until the headers of a request are complete."
    )
    request_body_timeout: float = Field(30.0, gt=0, description="Seconds from there until its body is complete.")

    _keys_file: Path | None = PrivateAttr(None)

    @model_validator(mode="before")
    @classmethod
    def _read_ways(cls, values: dict[str, object]) -> dict[str, object]:
        if "channels" in values:
            values = {**values, "channels": _read_channels(values["channels"])}
        return values

    @model_validator(mode="wrap")
    @classmethod
    def _remember_file(cls, values: object, handler: ModelWrapValidatorHandler["Settings"]) -> "Settings":
        """Keep where the keys were read from, since they are read again when the file changes."""
        settings = handler(values)
        given = values.get("api_keys") if isinstance(values, dict) else None
        if isinstance(given, str) and given.startswith("@"):
            settings._keys_file = Path(given[1:]).absolute()
        return settings

    @model_validator(mode="after")
    def _guarded(self) -> "Settings":
        if self.host not in ("127.0.0.1", "::1", "localhost") and not self.api_keys:
            raise ValueError(
                f"host {self.host} is beyond loopback and no keys are configured: set LONGLEAD_API_KEYS, "
                "or bind to 127.0.0.1"
            )
        if self.shutdown_grace + self.heartbeat_interval >= self.stalled_after + 1:
            raise ValueError("shutdown_grace plus heartbeat_interval must stay under stalled_after")
        if self.erp_webhook_url.get_secret_value():
            _check_webhook(self.erp_webhook_url, self.erp_webhook_secret)
        if 0 < len(self.link_secret.get_secret_value()) < 32:
            raise ValueError("link_secret needs at least 32 characters")
        return self

    @field_validator("api_keys", mode="before")
    @classmethod
    def _read(cls, given: object) -> object:
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
    def _none(cls, given: object) -> object:
        return None if isinstance(given, str) and given.strip().lower() in ("", "none") else given

    @field_validator("database_url")
    @classmethod
    def _readable(cls, given: str) -> str:
        """Checked here, since whoever reads it later would say what is wrong with it in the password's own words."""
        if not given:
            return given
        import psycopg
        from psycopg.conninfo import conninfo_to_dict

        try:
            conninfo_to_dict(given)
        except psycopg.Error:
            raise ValueError(
                "not a URL or connection string of PostgreSQL; special characters in a URL's password are "
                "percent-encoded, such as %40 for @"
            ) from None
        return given

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
    def embedded(self) -> bool:
        return not self.database_url


def load_settings(**overrides: object) -> Settings:
    """Read the environment.

    Raises:
        ConfigurationError: a setting is wrong; the message names its variable.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = "; ".join(f"{_variable(found['loc'])}: {found['msg']}" for found in error.errors())
        raise ConfigurationError(f"Wrong settings: {problems}") from error
    except OSError as error:
        raise ConfigurationError(
            f"LONGLEAD_API_KEYS or LONGLEAD_CHANNELS: {error}. Name a readable file after @."
        ) from error


def _variable(loc: tuple[int | str, ...]) -> str:
    """The variable that a setting is read from."""
    name = "_".join(str(part) for part in loc).upper()
    return "settings" if not name else name if name.startswith(("OPENAI_", "LANGFUSE_")) else f"LONGLEAD_{name}"


def child_environment(changed: Mapping[str, str], *, fresh: bool = False) -> dict[str, str]:
    """The environment for a process that this one starts, with variables changed; `fresh`: without our settings."""
    kept = {name: value for name, value in os.environ.items() if not (fresh and name.startswith("LONGLEAD_"))}
    return {**kept, **changed}
