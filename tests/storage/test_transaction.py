"""One transaction on a building: all of it or nothing, and whoever calls it is told."""

import psycopg
import pytest

from domain.errors import NotFoundError
from storage.database import is_database_fault
from storage.transaction import building_transaction
from tests.agent.desk import Desk


async def _name(desk: Desk) -> str:
    row = await (await desk.conn.execute("SELECT contacts::text AS contacts FROM buildings")).fetchone()
    assert row is not None
    return str(row["contacts"])


async def test_what_fails_undoes_everything_and_the_connection_goes_on(desk: Desk) -> None:
    await desk.open()
    before = await _name(desk)
    with pytest.raises(psycopg.errors.UndefinedTable):
        async with building_transaction(desk.conn, desk.building_id) as transaction:
            await desk.conn.execute("UPDATE buildings SET contacts = '[]'")
            transaction.also("DELETE FROM nowhere", ())
    assert await _name(desk) == before


async def test_a_failure_that_was_caught_inside_does_not_look_like_a_success(desk: Desk) -> None:
    """The server answers a commit after a failed statement with an undoing, and no error."""
    await desk.open()
    before = await _name(desk)
    with pytest.raises(psycopg.errors.InFailedSqlTransaction) as told:
        async with building_transaction(desk.conn, desk.building_id):
            await desk.conn.execute("UPDATE buildings SET contacts = '[]'")
            with pytest.raises(psycopg.errors.UndefinedTable):
                await desk.conn.execute("DELETE FROM nowhere")
    assert not is_database_fault(told.value)
    assert await _name(desk) == before


async def test_within_another_transaction_it_is_undone_alone(desk: Desk) -> None:
    await desk.open()
    before = await _name(desk)
    async with building_transaction(desk.conn, desk.building_id):
        with pytest.raises(RuntimeError, match="changed my mind"):
            async with building_transaction(desk.conn, desk.building_id):
                await desk.conn.execute("UPDATE buildings SET contacts = '[]'")
                raise RuntimeError("changed my mind")
    assert await _name(desk) == before


async def test_a_building_that_is_not_there_leaves_nothing_open(desk: Desk) -> None:
    await desk.open()
    with pytest.raises(NotFoundError, match="no building 'nowhere'"):
        async with building_transaction(desk.conn, "nowhere"):
            raise AssertionError("never reached")
    async with building_transaction(desk.conn, desk.building_id):
        pass
