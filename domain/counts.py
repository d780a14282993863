"""Numbers of things as they are written: `1 day`, `2 days`, `once`, `3 times`."""


def write_count(number: int, noun: str) -> str:
    """So many of a thing whose name takes an s."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def write_open(number: int, noun: str) -> str:
    """How many of a thing are open: `1 line is open`."""
    return f"{write_count(number, noun)} {'is' if number == 1 else 'are'} open"


def write_times(number: int) -> str:
    """How often something was done."""
    return "once" if number == 1 else f"{number} times"
