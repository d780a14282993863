"""Similar past cases: what a question shows of how others like it were answered, and what came of it."""

from domain.plain_json import JsonObject
from domain.procurement import LineFile
from domain.recollections import about
from storage import evidence
from storage.connection import Connection
from storage.long_term import Sought, similar_cases

MOST_CASES = 5


async def past_cases(conn: Connection, building_id: str, kind: str, file: LineFile | None) -> list[JsonObject]:
    """The cases of this kind that are most like this one; where few are remembered, also the last ones on file."""
    line = about(file)
    query = " ".join([kind.replace("_", " "), *(str(value) for value in line.values() if value)])
    fields = {name: line.get(name) for name in ("item_id", "vendor_id", "category")}
    found = await similar_cases(conn, building_id, Sought(query, kind, only=kind, limit=MOST_CASES, **fields))
    cases = [_as_case(building_id, case) for case in found]
    known = {case.get("approval_id") for case in cases}
    on_file = await evidence.past_cases(conn, building_id, kind)
    return [*cases, *(case for case in on_file if case["approval_id"] not in known)][:MOST_CASES]


def _as_case(building_id: str, case: JsonObject) -> JsonObject:
    """A remembered case as evidence shows it; of another building without a name that would mean nothing here."""
    key = str(case["key"]).replace(".", "-")
    named: JsonObject = {} if case.get("elsewhere") else {"approval_id": f"{building_id}-{key}"}
    return {
        **named,
        "item_id": case["item_id"],
        "summary": case["question"],
        "decision": case["decision"],
        "actions": case["actions"],
        "why": case["why"],
        "outcome": case["outcome"],
        "elsewhere": bool(case.get("elsewhere")),
    }
