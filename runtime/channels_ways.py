"""Which ways a message goes: by its recipient, as the settings say; purchase orders to the ERP as well."""

import hashlib
from collections.abc import Iterator
from fnmatch import fnmatchcase

from pydantic import SecretStr

from runtime.settings import Settings, Target, Webhook
from storage.outbox import Outgoing, Way

ERP = "erp"
ORDERS = ("issue_purchase_order", "reorder_item", "cancel_purchase_order", "revise_purchase_order")
"""Effects whose message is a purchase order, or takes one back."""
LOG = "log"


class Ways:
    """The ways out that are configured. A message that none is for goes to the log alone."""

    def __init__(self, settings: Settings) -> None:
        self._channels = settings.channels
        self._erp: Webhook | None = None
        if settings.erp_webhook_url.get_secret_value():
            self._erp = Webhook(webhook=settings.erp_webhook_url, secret=settings.erp_webhook_secret)

    def of(self, message: Outgoing) -> list[Way]:
        """The ways of this message, beside the log."""
        # Orders of all vendors keep their order on their way to the ERP; other ways do so for each recipient.
        ways = [Way(ERP, ERP, ERP)] if self._erp and message.action in ORDERS else []
        for name, target in self._targets(message):
            lane = hashlib.sha256(f"{name}\n{message.recipient}".encode()).hexdigest()[:16]
            ways.append(Way(name, kind_of(target), lane))
        return ways

    def is_log_meant_for(self, message: Outgoing) -> bool:
        """Whether the settings name the log for its recipient, so that nothing is amiss."""
        return self.is_named(*_names(message))

    def is_named(self, *names: str) -> bool:
        """Whether the settings say where messages to a recipient of these names (an address, a role) go."""
        return self._match(list(names)) is not None

    def target(self, way: str) -> Target | None:
        """What a way leads to; None when it is no longer configured."""
        if way == ERP:
            return self._erp
        recipient, _, number = way.rpartition("#")
        targets = self._channels.get(recipient, [])
        return targets[int(number)] if number.isdigit() and int(number) < len(targets) else None

    def _targets(self, message: Outgoing) -> Iterator[tuple[str, Target]]:
        recipient = self._match(_names(message))
        for number, target in enumerate(self._channels.get(recipient, []) if recipient is not None else []):
            if kind_of(target) != LOG:
                yield f"{recipient}#{number}", target

    def _match(self, names: list[str]) -> str | None:
        """The entry of the settings: named exactly, else the first pattern that fits."""
        folded = [name.casefold() for name in names if name]
        for entry in self._channels:
            if entry.casefold() in folded:
                return entry
        for entry in self._channels:
            if any(fnmatchcase(name, entry.casefold()) for name in folded):
                return entry
        return None


def _names(message: Outgoing) -> list[str]:
    return [message.recipient, str(message.payload.get("to", ""))]


def kind_of(target: Target) -> str:
    """What kind of way it is: the one part of an address that is no secret."""
    if isinstance(target, SecretStr):
        return target.get_secret_value().partition(":")[0].casefold()
    return "webhook"
