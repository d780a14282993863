"""Packed arrays arrive as what the driver's own lists would have been."""

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.arrays import Blobs, documents, integers, register_arrays, texts
from storage.database import connect

_ANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)


@_ANY
@given(
    st.lists(st.none() | _TEXT, max_size=6),
    st.lists(st.none() | st.binary(max_size=40), max_size=6),
    st.lists(st.integers(-(2**31), 2**31 - 1), max_size=6),
    st.lists(_JSON, max_size=4),
)
async def test_what_is_packed_arrives(
    empty_database: str, words: list[str | None], blobs: list[bytes | None], numbers: list[int], trees: list[object]
) -> None:
    async with await connect(empty_database, application_name="test") as conn:
        register_arrays(conn)
        cursor = await conn.execute(
            "SELECT %b AS words, %b AS blobs, %b AS numbers, %b AS trees",
            (texts(words), Blobs(blobs), integers(numbers), documents([orjson.dumps(tree) for tree in trees])),
            binary=True,
        )
        row = await cursor.fetchone()
    assert row == {"words": words, "blobs": blobs, "numbers": numbers, "trees": trees}
