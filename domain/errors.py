"""Every error that Longlead raises on purpose. The message says what happened and what to do about it."""

from typing import Any


class LongleadError(Exception):
    """Something went wrong that a person can do something about."""

    status = 500
    """HTTP status of the problem that the API answers with."""
    title = "Internal error"

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra
        """Further members of the problem document (RFC 9457 extensions)."""


class NotFoundError(LongleadError):
    """What was named does not exist. Check the name, or list what there is."""

    status = 404
    title = "Not found"


class ConflictError(LongleadError):
    """The request does not fit what is already there. Read the standing state and decide again."""

    status = 409
    title = "Conflict"


class InvalidError(LongleadError):
    """A field is missing, unknown or out of range. Correct the named field."""

    status = 422
    title = "Invalid request"

    def __init__(self, detail: str, field: str | None = None, **extra: Any) -> None:
        if field is not None:
            extra["errors"] = [{"field": field, "message": detail}]
        super().__init__(detail, **extra)
        self.field = field


class TooLargeError(LongleadError):
    """The body is over the limit. Send a link to the document instead of the document."""

    status = 413
    title = "Body too large"


class UnauthorizedError(LongleadError):
    """No key, or an unknown one. Send `Authorization: Bearer <key>`."""

    status = 401
    title = "Unauthorized"


class ForbiddenError(LongleadError):
    """The key is known, but its roles do not allow this. Ask the administrator for the role named."""

    status = 403
    title = "Forbidden"


class UnavailableError(LongleadError):
    """The database cannot be reached just now. Try again after the seconds in Retry-After."""

    status = 503
    title = "Temporarily unavailable"


class ConfigurationError(LongleadError):
    """A setting is missing or contradicts another. Correct the setting named."""

    title = "Wrong configuration"


class StorageError(LongleadError):
    """The database server could not be started, migrated, saved or restored. The message says which and why."""

    title = "Storage error"


class LedgerMismatchError(LongleadError):
    """The same effect was asked for twice with different arguments. The event's code is not repeatable: report it."""

    title = "Ledger mismatch"


class LeaseLostError(LongleadError):
    """Another worker has taken the building over. Nothing to do: it goes on there."""

    title = "Lease lost"
