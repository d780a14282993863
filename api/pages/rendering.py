"""Pages as text: every value from outside is escaped, nothing is loaded from elsewhere, nothing is kept by anyone."""

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from api.pages.words import in_words
from domain.lines.words import describe_ncr, describe_promises, describe_quantities
from runtime.channels_letter import printable


def _finished(value: object) -> str:
    """What is put into a page: nothing for what is absent, no invisible characters in what came from outside."""
    if value is None:
        return ""
    return value if isinstance(value, Markup) else printable(str(value))


def _label(name: str) -> str:
    """`days_late` -> `Days late`."""
    return _LABELS.get(name) or name.replace("_", " ").strip().capitalize()


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"


class ShownLine(TypedDict):
    """What is read of a line to say how much of it is where."""

    quantities: dict[str, str]
    quantity: str | None
    unit: str | None


def _how_much(line: ShownLine) -> str:
    """`6 of 10 pcs accepted, 4 in transit`, of a line as it is shown."""
    return describe_quantities(line["quantities"], line["unit"], has_quantity=line["quantity"] is not None)


_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"']+")


def _is_link(value: object) -> bool:
    """Only addresses of the web become links: others could run something."""
    return isinstance(value, str) and _WEB_ADDRESS.fullmatch(value) is not None


_LABELS = {
    "eta": "ETA",
    "ncr_number": "NCR",
    "document_url": "Document",
    "document_name": "Report",
    "order_by": "To be ordered by",
    "buffer_days": "Buffer, days",
    "days_left": "Days left",
    "if_decided_on": "If decided on",
}
_ANSWERS = {"approve": "Approved", "reject": "Rejected", "edit": "Something else instead", "respond": "Answered"}

_pages = Environment(
    loader=PackageLoader("api.pages", "."),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_finished,
    trim_blocks=True,
    lstrip_blocks=True,
)
_pages.filters |= {
    "label": _label,
    "moment": _moment,
    "is_link": _is_link,
    "answer": lambda kind: _ANSWERS.get(kind, kind),
    "action": in_words,
    "first_upper": lambda text: text[:1].upper() + text[1:],
    "how_much": _how_much,
    "promises": lambda line: describe_promises(line["first_promise"], line["latest_promise"]),
    "ncr": lambda ncr, unit: describe_ncr(ncr["ncr_number"], ncr["undecided"], unit, ncr["defects"]),
}
_CSS = Markup(_pages.loader.get_source(_pages, "page.css")[0])  # type: ignore[union-attr]
_STYLE = base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()

HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    # Not `no-referrer`: with it browsers send `Origin: null` along with the form, which then cannot be checked.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def page(template: str, *, status: int = 200, headers: Mapping[str, str] = HEADERS, **values: Any) -> HTMLResponse:
    """The page as it is sent."""
    shown = {"css": _CSS, "refresh": None, **values}
    return HTMLResponse(_pages.get_template(template).render(shown), status, headers)
