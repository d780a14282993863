"""One transaction on a building: all of it or nothing, and whoever calls it is told."""

import contextlib

import psycopg
import pytest

from domain.errors import NotFoundError
from storage.database import is_database_fault
from storage.transaction import building_transaction
from tests.agent.desk import Desk

EMPTIED = "UPDATE buildings SET contacts = '[]'"
FAILING = "DELETE FROM nowhere"


async def _contacts(desk: Desk) -> str:
    row = await (await desk.conn.execute("SELECT contacts::text AS contacts FROM buildings")).fetchone()
    assert row is not None
    return str(row["contacts"])


async def test_what_fails_undoes_everything_and_the_connection_goes_on(desk: Desk) -> None:
    await desk.open()
    before = await _contacts(desk)

    async def fail_at_the_end() -> None:
        async with building_transaction(desk.conn, desk.building_id) as transaction:
            await desk.conn.execute(EMPTIED)
            transaction.also(FAILING, ())

    with pytest.raises(psycopg.errors.UndefinedTable):
        await fail_at_the_end()
    assert await _contacts(desk) == before


async def test_a_failure_that_was_caught_inside_does_not_look_like_a_success(desk: Desk) -> None:
    """The server answers a commit after a failed statement with an undoing, and no error."""
    await desk.open()
    before = await _contacts(desk)

    async def fail_and_go_on() -> None:
        async with building_transaction(desk.conn, desk.building_id):
            await desk.conn.execute(EMPTIED)
            with contextlib.suppress(psycopg.errors.UndefinedTable):
                await desk.conn.execute(FAILING)

    with pytest.raises(psycopg.errors.InFailedSqlTransaction) as told:
        await fail_and_go_on()
    assert not is_database_fault(told.value)
    assert await _contacts(desk) == before


async def test_within_another_transaction_it_is_undone_alone(desk: Desk) -> None:
    await desk.open()
    before = await _contacts(desk)

    async def change_its_mind() -> None:
        async with building_transaction(desk.conn, desk.building_id):
            await desk.conn.execute(EMPTIED)
            raise RuntimeError("changed my mind")

    async with building_transaction(desk.conn, desk.building_id):
        with pytest.raises(RuntimeError, match="changed my mind"):
            await change_its_mind()
    assert await _contacts(desk) == before


async def test_a_building_that_is_not_there_leaves_nothing_open(desk: Desk) -> None:
    await desk.open()
    with pytest.raises(NotFoundError, match="no building 'nowhere'"):
        async with building_transaction(desk.conn, "nowhere"):
            raise AssertionError("never reached")
    async with building_transaction(desk.conn, desk.building_id):
        pass
