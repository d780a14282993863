"""Mail addresses: who a sender is, told from the whole address and nothing that looks like one."""

import re
from email.errors import MessageError
from email.headerregistry import Address

MAX_ADDRESS = 254
_LOCAL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.!#$%&'*+/=?^_`{|}~-")
_DOMAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")


MAX_RECIPIENTS = 10
"""Addresses of one contact."""
CONTACT_FORMS = (
    'write a mail address, or several with commas between them, each with or without a name before it, such as "Mill '
    'Road" <orders@mill.example>; or a phone number or a name, without @'
)
_QUOTED_WELL = re.compile(r'(?:"[^"]*"|[^"])*')
_PARTS = re.compile(r'(?:"[^"]*"|[^",;])+')
_NOT_IN_ADDRESS = frozenset(',;:<>"()[]\\')
_HANDLE = re.compile(r"@[^\s@<>]+")


def recipients(contact: str) -> tuple[str, ...]:
    """Whom a contact means, each once: its mail addresses without their display names; else the text itself, which is
    a phone number, a name or a handle.

    Raises:
        ValueError: it has an @ and is no list of mail addresses; the message says what may be written.
    """
    if "@" not in contact or _HANDLE.fullmatch(contact.strip()):
        return (contact,)
    if not _QUOTED_WELL.fullmatch(contact):
        raise ValueError(f"has a quotation mark without its other half; {CONTACT_FORMS}")
    found = [_mailbox(part.strip()) for part in _PARTS.findall(contact) if part.strip()]
    if len(found) > MAX_RECIPIENTS:
        raise ValueError(f"names {len(found)} addresses, and may name {MAX_RECIPIENTS}")
    return tuple({address.casefold(): address for address in reversed(found)}.values())[::-1]


def _mailbox(part: str) -> str:
    address = _without_name(part)
    address = address[7:] if address.casefold().startswith("mailto:") else address
    if len(address) > MAX_ADDRESS or not _is_sendable(address):
        raise ValueError(f"{part[:80]!r} is no mail address; {CONTACT_FORMS}")
    return address


def _without_name(text: str) -> str:
    """The address of `Name <address>` or `"Name" <address>`; the text itself, where it is no such thing."""
    if not text.endswith(">"):
        return text
    name, _, address = text[:-1].rpartition("<")
    name = name.strip()
    is_quoted = len(name) > 1 and name[0] == name[-1] == '"' and '"' not in name[1:-1]
    is_plain = not any(sign in name for sign in '"<>@')
    return address.strip() if is_quoted or is_plain else text


def _is_sendable(address: str) -> bool:
    name, at, host = address.partition("@")
    has_stranger = any(sign in _NOT_IN_ADDRESS or sign.isspace() for sign in address)
    return bool(name and at and host) and "@" not in host and not has_stranger


def recipients_on_file(contact: str) -> tuple[str, ...]:
    """The same of a contact that an earlier version accepted: what cannot be read is one recipient, as it is."""
    try:
        return recipients(contact)
    except ValueError:
        return (contact,)


def bare_address(text: str | None) -> str | None:
    """The one mail address that a text is, in small letters; None where it is anything else or more.

    No display name, no comment, no quoted local part, no second address, no letter beyond ASCII: each of these has
    passed for an address that it is not.
    """
    if text is None or not text.isascii() or not 0 < len(text) <= MAX_ADDRESS:
        return None
    lower = text.lower()
    local, _, domain = lower.partition("@")
    if not (set(local) <= _LOCAL and set(domain) <= _DOMAIN) or "." not in domain:
        return None
    try:
        address = Address(addr_spec=lower)
    except (MessageError, ValueError, IndexError):
        return None
    return lower if (address.username, address.domain) == (local, domain) else None


def same_address(sender: str | None, on_file: str | None) -> bool:
    """Whether a sender is exactly the address on file. The same domain is not enough: half the world shares some."""
    known = bare_address(on_file)
    return known is not None and bare_address(sender) == known
