"""What tests of search start from."""

from __future__ import annotations

import pytest

from tests.search import town as towns


@pytest.fixture
def town():
    """La Navette in Lyon, empty, with no neighbours."""
    with towns.town() as built:
        yield built
