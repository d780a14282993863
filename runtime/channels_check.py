"""What is wrong or missing with the channels, told when a process starts and not when the first message is lost."""

from collections.abc import Iterator
from dataclasses import dataclass

import anyio
import structlog
from pydantic import SecretStr

from domain.addresses import recipients_on_file
from domain.errors import ConfigurationError
from runtime.channels_apprise import is_understood
from runtime.channels_ways import LOG, Ways, kind_of
from runtime.settings import Settings, Target
from storage import outbox
from storage.database import Pool

log = structlog.get_logger()

NO_WAY = "No way out is configured: messages are only logged. Set LONGLEAD_CHANNELS."
NO_WAY_FOR_SOME = "Messages to these recipients are only logged: LONGLEAD_CHANNELS has no way to them."
MAX_NAMED = 20
"""Recipients that one warning names."""


@dataclass(frozen=True)
class MissingWays:
    """Who would not be told anything. `recipients` are the first of them, where some are."""

    warning: str
    recipients: tuple[str, ...] = ()
    count: int = 0


async def require_usable_channels(settings: Settings) -> None:
    """Refuse channels that can never deliver anything. The library behind them takes a second to load.

    Raises:
        ConfigurationError: an address is not one that Apprise understands; named by its recipient, since it is secret.
    """
    addresses = [(name, target) for name, target in _targets(settings) if isinstance(target, SecretStr)]
    if not addresses:
        return
    wrong = [
        f"{name!r} ({kind_of(target)})"
        for name, target in addresses
        if not await anyio.to_thread.run_sync(is_understood, target.get_secret_value())
    ]
    if wrong:
        raise ConfigurationError(
            f"LONGLEAD_CHANNELS: {', '.join(wrong)}: not an address that Apprise understands. "
            "Its documentation lists them by service."
        )


async def warn_of_missing_ways(settings: Settings, pool: Pool) -> None:
    """Say in the log who of the live buildings would not be told anything."""
    async with pool.connection() as conn:
        recipients = await outbox.recipients(conn)
    missing = find_missing_ways(settings, recipients)
    if missing is None:
        return
    named = {"recipients": list(missing.recipients), "count": missing.count} if missing.recipients else {}
    log.warning(missing.warning, **named)


def find_missing_ways(settings: Settings, recipients: list[outbox.Recipient]) -> MissingWays | None:
    """Recipients of live buildings whose messages would only be logged; None where everybody is told, or where the
    settings name the log for them."""
    if not list(_targets(settings)):
        return MissingWays(NO_WAY)
    ways = Ways(settings)
    unreached = dict.fromkeys(
        recipient.in_words
        for recipient in recipients
        if not all(ways.is_named(one, recipient.party) for one in recipients_on_file(recipient.address))
    )
    if not unreached:
        return None
    return MissingWays(NO_WAY_FOR_SOME, tuple(unreached)[:MAX_NAMED], len(unreached))


def _targets(settings: Settings) -> Iterator[tuple[str, Target]]:
    """The ways that leave the service, each with the recipient that it is for."""
    for name, targets in settings.channels.items():
        for target in targets:
            if kind_of(target) != LOG:
                yield name, target
