"""Webhooks: JSON by HTTP POST, signed after the Standard Webhooks spec, with the ledger key as id."""

import json
from datetime import datetime

import httpx
from standardwebhooks import Webhook as Signer

from domain.retry_after import seconds_to_wait
from runtime.channels_letter import Letter
from runtime.channels_refusal import RefusedError
from runtime.settings import Webhook

GONE = 410
_MOST_AFTER_S = 3600


async def post(client: httpx.AsyncClient, target: Webhook, letter: Letter, now: datetime) -> None:
    """Post it. The answer's body is not read, and no redirect is followed.

    Raises:
        RefusedError: the answer is not 2xx, or there is none.
    """
    body = json.dumps(letter.body, ensure_ascii=False, separators=(",", ":"))
    key = header_safe(letter.key)
    signature = Signer(target.secret.get_secret_value()).sign(msg_id=key, timestamp=now, data=body)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Longlead",
        "Idempotency-Key": key,
        "webhook-id": key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    try:
        async with client.stream(
            "POST", target.webhook.get_secret_value(), content=body.encode(), headers=headers
        ) as answer:
            if not answer.is_success:
                raise _refused(answer, now)
    except httpx.TimeoutException as error:
        raise RefusedError("no answer in time") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise RefusedError(f"cannot be reached ({type(error).__name__})") from error


def _refused(answer: httpx.Response, now: datetime) -> RefusedError:
    return RefusedError(
        f"refused with status {answer.status_code}",
        final=answer.status_code == GONE,
        after_s=seconds_to_wait(answer.headers.get("retry-after"), now, _MOST_AFTER_S),
    )


def header_safe(key: str) -> str:
    """A key as a header can carry it; keys are ASCII already, unless a line's id is not."""
    return key.encode("ascii", "backslashreplace").decode()
