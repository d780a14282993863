"""Which ways a message goes: by its recipient, as the settings say; purchase orders to the ERP as well."""

import hashlib
from collections.abc import Iterator
from fnmatch import fnmatchcase

from pydantic import SecretStr

from domain.addresses import recipients_on_file
from runtime.settings import Settings, Target, Webhook
from storage.outbox import Outgoing, Way

ERP = "erp"
ORDERS = ("issue_purchase_order", "reorder_item", "cancel_purchase_order", "revise_purchase_order")
"""Effects whose message is a purchase order, or takes one back."""
LOG = "log"
PLACE = "@"
"""Before the place of an address among those of a recipient, in the name of a way: not of the first, which is named as
it was when a recipient had one."""
ADDRESS = "{address}"
"""What stands for the recipient's address in a channel's URL."""


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
            lane = hashlib.sha256(f"{name}\n{self.address(name, message.recipient)}".encode()).hexdigest()[:16]
            ways.append(Way(name, kind_of(target), lane))
        return ways

    def address(self, way: str, recipient: str) -> str:
        """The one address that a way leads to, of a recipient that may name several."""
        addresses, place = recipients_on_file(recipient), way.rpartition("#")[2].partition(PLACE)[2]
        return addresses[int(place)] if place.isdigit() and int(place) < len(addresses) else addresses[0]

    def is_log_meant_for(self, message: Outgoing) -> bool:
        """Whether the settings name the log for its recipient, so that nothing is amiss."""
        return all(self.is_named(address, *_names(message)) for address in recipients_on_file(message.recipient))

    def is_named(self, *names: str) -> bool:
        """Whether the settings say where messages to a recipient of these names (an address, a role) go."""
        return self._match(list(names)) is not None

    def target(self, way: str) -> Target | None:
        """What a way leads to; None when it is no longer configured."""
        if way == ERP:
            return self._erp
        recipient, _, number = way.rpartition("#")
        number = number.partition(PLACE)[0]
        targets = self._channels.get(recipient, [])
        return targets[int(number)] if number.isdigit() and int(number) < len(targets) else None

    def _targets(self, message: Outgoing) -> Iterator[tuple[str, Target]]:
        """Each address is looked for by itself; what several share, and leads to one place, is used once."""
        used: set[tuple[str, int]] = set()
        for place, address in enumerate(recipients_on_file(message.recipient)):
            entry = self._match([address, *_names(message)])
            for number, target in enumerate(self._channels.get(entry, []) if entry is not None else []):
                if kind_of(target) == LOG or (entry, number) in used:
                    continue
                if not _leads_to_the_address(target):
                    used.add((str(entry), number))
                yield f"{entry}#{number}" + (f"{PLACE}{place}" if place else ""), target

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


def _leads_to_the_address(target: Target) -> bool:
    return isinstance(target, SecretStr) and ADDRESS in target.get_secret_value()


def kind_of(target: Target) -> str:
    """What kind of way it is: the one part of an address that is no secret."""
    if isinstance(target, SecretStr):
        return target.get_secret_value().partition(":")[0].casefold()
    return "webhook"
