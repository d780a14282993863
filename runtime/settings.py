"""The only reader of the environment. Every setting is a variable `LONGLEAD_*`."""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.errors import ConfigurationError
from domain.policy import ResponderType

Role = Literal["reader", "events", "approver", "admin"]


class ApiKey(BaseModel):
    """A caller of the API: who it is and what it may do.

    Roles: `reader` reads; `events` sends events; `approver` answers approvals; `admin` creates and changes
    buildings, retries events, and everything else. Every role may read.
    """

    model_config = ConfigDict(extra="forbid")

    key: str = Field(min_length=16, description="The secret, at least 16 characters.")
    id: str = Field(min_length=1, description="Stable id of the caller, shown in logs and decisions.")
    name: str = Field(min_length=1, description="Name to show.")
    type: ResponderType = "human"
    roles: list[Role] = Field(min_length=1)


_KEYS: TypeAdapter[list[ApiKey]] = TypeAdapter(list[ApiKey])


class Settings(BaseSettings):
    """Settings of a Longlead process."""

    model_config = SettingsConfigDict(env_prefix="LONGLEAD_", extra="ignore")

    database_url: str = Field("", description="PostgreSQL to use; empty: an embedded one in the data directory.")
    data_dir: Path = Field(Path(".longlead"), description="Where the embedded database lives.")
    host: str = Field("127.0.0.1", description="Address that the API binds to; beyond loopback only with keys.")
    port: int = Field(8000, ge=1, le=65535, description="Port of the API.")
    api_keys: Annotated[list[ApiKey], NoDecode] = Field(
        [], description="Callers of the API as a JSON list, or @ and the path of a file that holds it."
    )
    concurrency: int = Field(20, ge=1, le=200, description="Buildings that a worker process runs at once.")
    api_connections: int = Field(10, ge=1, le=200, description="Database connections of the API.")
    poll_interval: float = Field(0.5, gt=0, description="Seconds between looks for work that no notice announced.")
    heartbeat_interval: float = Field(10.0, gt=0, description="Seconds between a worker's signs of life.")
    stalled_after: float = Field(30.0, gt=0, description="Seconds without a sign of life until work is taken over.")
    tick_interval: int = Field(5, ge=1, le=30, description="Seconds between looks for what is due.")
    shutdown_grace: float = Field(15.0, ge=0, description="Seconds that running work is given at shutdown.")
    event_attempts: int = Field(5, ge=1, description="Failures after which an event is dead.")
    event_crashes: int = Field(10, ge=1, description="Starts after which an event is dead, crashes included.")
    retry_base: float = Field(1.0, gt=0, description="Seconds before the first retry; doubled at each, with jitter.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_format: Literal["auto", "json", "console"] = Field("auto", description="auto: console on a terminal.")
    url: str = Field("http://127.0.0.1:8000", description="Where the command line finds the service.")
    api_key: str = Field("", description="The key that the command line sends.")

    @model_validator(mode="before")
    @classmethod
    def _read_keys(cls, values: dict[str, object]) -> dict[str, object]:
        given = values.get("api_keys")
        if not isinstance(given, str):
            return values
        text = Path(given[1:]).read_text() if given.startswith("@") else given
        keys = _KEYS.validate_json(text) if text.strip() else []
        return {**values, "api_keys": keys}

    @model_validator(mode="after")
    def _guarded(self) -> "Settings":
        if self.host not in ("127.0.0.1", "::1", "localhost") and not self.api_keys:
            raise ValueError(
                f"host {self.host} is beyond loopback and no keys are configured: set LONGLEAD_API_KEYS, "
                "or bind to 127.0.0.1"
            )
        if self.shutdown_grace + self.heartbeat_interval >= self.stalled_after + 1:
            raise ValueError("shutdown_grace plus heartbeat_interval must stay under stalled_after")
        return self

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
        problems = "; ".join(
            f"{'LONGLEAD_' + '_'.join(str(part) for part in found['loc']).upper() if found['loc'] else 'settings'}: "
            f"{found['msg']}"
            for found in error.errors()
        )
        raise ConfigurationError(f"Wrong settings: {problems}") from error
    except OSError as error:
        raise ConfigurationError(f"LONGLEAD_API_KEYS: {error}. Name a readable file after @.") from error


def child_environment(changed: Mapping[str, str], *, fresh: bool = False) -> dict[str, str]:
    """The environment for a process that this one starts, with variables changed; `fresh`: without our settings."""
    kept = {name: value for name, value in os.environ.items() if not (fresh and name.startswith("LONGLEAD_"))}
    return {**kept, **changed}
