"""What to do after the demo: the service that still runs, or one's own."""

ADDRESS = "http://127.0.0.1:8000"
"""Where `longlead serve` listens."""
GUIDE = "docs/your-own-project.md"
"""Where the file of a first building is, in the repository; it is in watch, so nothing is ordered or sent."""


def while_it_runs(url: str, building_id: str) -> list[tuple[str, str]]:
    """What can be looked at in the demo's own service: what for, and the address or command."""
    return [
        ("Open in a browser", f"{url}/docs"),
        ("The procurement log", f"curl -s {url}/buildings/{building_id}/items"),
        ("Why it did what it did", f"curl -s {url}/buildings/{building_id}/decisions"),
    ]


def afterwards() -> list[tuple[str, str]]:
    """How to go on with a service of one's own."""
    return [
        ("Start your own", "longlead serve   (here: make serve)"),
        ("Open in a browser", f"{ADDRESS}/docs"),
        ("Your first building", "longlead building create building.json   (here: .venv/bin/longlead)"),
        ("Such a file, in watch", GUIDE),
    ]
