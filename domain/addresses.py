"""Mail addresses: who a sender is, told from the whole address and nothing that looks like one."""

from email.errors import MessageError
from email.headerregistry import Address

MAX_ADDRESS = 254
_LOCAL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.!#$%&'*+/=?^_`{|}~-")
_DOMAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")


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
