"""The one error of all channels."""


class RefusedError(Exception):
    """The message was not taken. The words are shown to people: they hold no address, no secret, no outside text."""

    def __init__(self, why: str, *, final: bool = False, after_s: float | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.final = final
        """True: no repetition can help."""
        self.after_s = after_s
        """When the receiver wants to be asked again, in seconds."""
