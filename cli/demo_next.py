"""What to do after the demo: the service that still runs, or one's own."""

import json
import shlex

ADDRESS = "http://127.0.0.1:8000"
"""Where `longlead serve` listens."""
FIRST_BUILDING = {
    "building_id": "my-site",
    "name": "My site",
    "schedule": {
        "project": {"name": "My site", "start_date": "2027-02-01", "end_date": "2027-08-31"},
        "deliveries": [{"item": "Steel Beams", "required_by": "2027-03-15", "buffer_days": 5}],
    },
}


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
        ("Your first building", f"curl -s {ADDRESS}/buildings -d {shlex.quote(json.dumps(FIRST_BUILDING))}"),
    ]
