"""A mail server on a port of this machine, which keeps what it is sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from tests.conftest import _free_port


@dataclass(frozen=True)
class Mail:
    """What one conversation brought: the envelope, and the mail in it."""

    sender: str
    recipients: list[str]
    message: EmailMessage


@dataclass
class MailServer:
    """Speaks SMTP; `refuses`: knows no recipient."""

    refuses: bool = False
    mails: list[Mail] = field(default_factory=list)
    address: str = ""

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if self.refuses:
            return "550 there is nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(Mail(envelope.mail_from, envelope.rcpt_tos, message))
        return "250 OK"


@contextmanager
def mail_server(*, refuses: bool = False) -> Iterator[MailServer]:
    """Open while the block runs."""
    server = MailServer(refuses)
    controller = Controller(server, hostname="127.0.0.1", port=_free_port())
    controller.start()
    server.address = f"{controller.hostname}:{controller.port}"
    try:
        yield server
    finally:
        controller.stop()
