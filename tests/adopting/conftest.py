"""A half-bought building, over REST: it is taken on one Monday morning, at creation or later."""

import pytest

from runtime.resources import Resources
from tests.adopting.half_bought import HalfBought
from tests.truth.conftest import resources, site
from tests.truth.site import Site

__all__ = ["resources", "site"]


@pytest.fixture
def half(site: Site, resources: Resources) -> HalfBought:
    """A building that is half bought, and not yet open."""
    return HalfBought(site, resources)
