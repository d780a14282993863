"""JSON that a worker's slot stores and reads is what any other connection would store and read."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Json, Jsonb

from storage.connection import Connection
from storage.database import code_json_fast, connect

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
NUMBERS = st.floats(-1e6, 1e6, width=32).map(lambda number: number or 0.0)  # jsonb has no negative zero
LEAVES = st.one_of(st.none(), st.booleans(), TEXTS, st.integers(), st.integers(10**17, 10**21), NUMBERS)
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=12)


@pytest.fixture
async def fast(database: str) -> AsyncIterator[Connection]:
    async with await connect(database, application_name="test") as connection:
        code_json_fast(connection)
        yield connection


async def read(conn: Connection, query: str, *parameters: Any) -> Any:
    row = await (await conn.execute(query, parameters)).fetchone()
    assert row is not None
    return row["tree"]


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=TREES)
async def test_every_value_comes_back_as_it_was(fast: Connection, tree: Any) -> None:
    assert same(await read(fast, "SELECT %s AS tree", Jsonb(tree)), tree)
    assert same(await read(fast, "SELECT %s AS tree", Json(tree)), tree)


def same(one: Any, other: Any) -> bool:
    """Whole numbers stay whole, of whatever size."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@pytest.mark.parametrize(
    "number",
    [2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**18 - 1, 10**18, 10**40, -(10**19)],
)
async def test_whole_numbers_never_become_floats(fast: Connection, number: int) -> None:
    found = await read(fast, "SELECT %s::jsonb AS tree", json.dumps({"number": number, "text": str(number)}))
    assert found == {"number": number, "text": str(number)}
    assert type(found["number"]) is int


@pytest.mark.parametrize("text", ["1e400", "0.1234567890123456789", "1e-400", "12345678901234567890.5"])
async def test_what_no_float_can_hold_is_read_as_the_standard_library_reads_it(fast: Connection, text: str) -> None:
    stored = await read(fast, "SELECT (%s::jsonb)::text AS tree", text)
    assert Decimal(stored) == Decimal(text)
    assert await read(fast, "SELECT %s::jsonb AS tree", text) == json.loads(stored)
