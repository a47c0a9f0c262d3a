"""The pictures of the README, taken of the running town: ``make screenshots``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = os.environ.get("MITOYEN_SCREENSHOTS")


@pytest.mark.skipif(FOLDER is None, reason="taken on request: make screenshots")
def test_the_two_pictures_of_the_readme(running_town, person_at):
    bastien = person_at(running_town.lyon, size={"width": 1280, "height": 860})
    bastien.come_in_as(running_town.lyon.member)
    bastien.go("/search?q=avocat&scope=everywhere")
    bastien.page.screenshot(path=Path(FOLDER) / "search.png")
    bastien.page.get_by_role("link", name="Claire Vasseur").click()
    bastien.page.screenshot(path=Path(FOLDER) / "profile.png")
