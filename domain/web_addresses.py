"""What an address of the web must look like where we are to call it, or name it in messages."""

import ipaddress
import re
from urllib.parse import urlsplit

_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_VISIBLE_ASCII = re.compile(r"[!-~]*")


def is_host(host: str) -> bool:
    """Whether it is an IP address or can be a host name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.removesuffix(".").split(".")
        return len(host) <= 253 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()
    return True


def is_web_url(url: str) -> bool:
    """Whether it is an http or https URL with a host, in ASCII and without spaces."""
    try:
        parts = urlsplit(url)
        is_sound = parts.scheme in ("http", "https") and is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        return False
    return is_sound and bool(_VISIBLE_ASCII.fullmatch(url))


def find_fault_of_base(url: str) -> str | None:
    """Why nothing can be appended to it as to the address of a service; None where it can."""
    expected = "an http or https URL with a host is expected, such as http://127.0.0.1:8000 or https://longlead.example"
    if not is_web_url(url):
        return expected
    if "?" in url or "#" in url:
        return f"{expected}; without ? and #"
    if "@" in urlsplit(url).netloc:
        return f"{expected}; without a user and a password"
    return None
