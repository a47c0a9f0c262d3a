"""Towns of several spaces."""

from __future__ import annotations

import pytest

from tests import spaces
from tests.neighbourhood import Neighbourhood


@pytest.fixture
def town(tmp_path):
    """Lyon and Nantes, strangers to each other."""
    town = Neighbourhood(tmp_path, "lyon", "nantes")
    yield town
    town.close()


@pytest.fixture
def neighbours(town):
    """Lyon and Nantes, with one lawyer in Nantes who agreed to be found."""
    contracts = spaces.service("Relecture de contrat", "lawyer", ("90", "70"))
    town.publish("nantes", "Claire Vasseur", headline="Avocate en contrats", services=(contracts,))
    town.befriend("lyon", "nantes")
    return town
