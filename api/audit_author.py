"""Who a caller is as the author of what they send, decide, change or create."""

from datetime import datetime

from api.auth import LOCAL_CALLER, Caller
from domain.principals import Author
from storage.audit import Signature


def author_of(caller: Caller) -> Author:
    return Author(**caller.responder.model_dump(), via="local" if caller is LOCAL_CALLER else "key")


def signature_of(caller: Caller, now: datetime) -> Signature:
    return Signature(author_of(caller), now)
