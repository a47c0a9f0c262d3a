"""The two people between whom most things across the wall happen, each at a screen of their own.

The test's own ``town`` says what they offer and who sees them.
"""

from __future__ import annotations

import pytest

from tests.web.people import at_a_screen


@pytest.fixture
def maud(town):
    """Maud of Lyon, who looks for help."""
    return at_a_screen(town, "lyon", "maud@x.example")


@pytest.fixture
def claire(town):
    """Claire of Nantes, who can help."""
    return at_a_screen(town, "nantes", "claire@x.example")
