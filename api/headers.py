"""What browsers are told with every answer: not to guess, not to frame, not to keep, not to run anything."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_HEADERS = {
    b"content-security-policy": b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"cache-control": b"no-store",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
}


class SafeHeaders:
    """Adds these headers to every answer that does not have its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                added = [header for header in SAFE_HEADERS.items() if header[0] not in own]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self.app(scope, receive, guarded)
