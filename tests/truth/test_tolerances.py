"""How much may be missing is policy: by unit, from the day on which it is changed, and in a fork as it was then."""

from typing import Any

import pytest
from pydantic import ValidationError

from domain.policy import Policy
from tests.truth.site import BUILDING, Site


async def deliver(site: Site, unit: str, quantity: str, **policy: Any) -> None:
    await site.open("400", unit=unit, policy=policy)
    await site.arrive("2026-03-06", quantity, shipment_id="T1")
    await site.passes("2026-03-07")


async def change(site: Site, **policy: Any) -> None:
    answer = await site.client.patch(f"/buildings/{BUILDING}", json={"policy": policy})
    assert answer.status_code == 200, answer.text
    await site.drainer.drain(BUILDING)


@pytest.mark.parametrize(
    ("given", "unit", "quantity", "is_released"),
    [
        ({"pcs": "0.01"}, "pcs", "396", True),
        ({"pieces": "0.01"}, "Stk", "396", True),
        ({"pcs": "0.01"}, "pcs", "395", False),
        ({"pcs": "0.01"}, "t", "399", False),
        ({}, "t", "399", False),
        ({"Tonnes": "0.02"}, "to", "392", True),
    ],
)
async def test_a_building_says_how_much_of_a_unit_may_be_missing(
    site: Site, given: dict[str, str], unit: str, quantity: str, is_released: bool
) -> None:
    await deliver(site, unit, quantity, tolerances=given)
    assert (await site.status() == "released") == is_released


async def test_a_line_follows_a_change_of_the_policy_both_ways(site: Site) -> None:
    await deliver(site, "t", "396")
    assert await site.status() != "released"
    await change(site, tolerances={"t": "0.02"})
    assert await site.status() == "released"
    assert (await site.item())["tolerance"] == "0.02"
    await change(site, tolerances={})
    assert await site.status() != "released"
    assert (await site.item())["quantities"]["open"] == "4"


async def test_another_field_of_the_policy_leaves_the_tolerances_as_they_are(site: Site) -> None:
    await deliver(site, "t", "399")
    await change(site, inspect_within_days=2)
    assert await site.status() == "released"
    policy = (await site.client.get(f"/buildings/{BUILDING}")).json()["policy"]
    assert policy["tolerances"] == {"m2": "0.005", "m3": "0.005", "t": "0.005"}


@pytest.mark.parametrize(
    "given", [{"t": "0.11"}, {"t": "-0.001"}, {"t": "0.01", "tons": "0.02"}, {"t": "much"}, {"": "0.01"}, {"t": "NaN"}]
)
async def test_a_tolerance_is_a_share_up_to_a_tenth_and_one_for_each_unit(site: Site, given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Policy.model_validate({"tolerances": given})
    await site.open("400")
    answer = await site.client.patch(f"/buildings/{BUILDING}", json={"policy": {"tolerances": given}})
    assert answer.status_code == 422
    assert "policy.tolerances" in answer.text
