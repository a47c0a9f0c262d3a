"""Finding a real Chromium, and saying what to do when there is none."""

from __future__ import annotations

import os
import shutil
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

MISSING = """\
No Chromium was found, so the tests in a real browser are left out.
Install one (on Debian and Ubuntu: apt-get install chromium) or name yours: CHROMIUM=/path/to/it"""


def find() -> str | None:
    """Return the path of a Chromium, ``None`` when the machine has none."""
    named = os.environ.get("CHROMIUM")
    candidates = [named] if named else list(NAMES)
    return next((path for name in candidates if (path := shutil.which(name))), None)


def main() -> int:
    """Print what is missing; fail on a machine that checks what lands."""
    if find():
        return 0
    print(MISSING, file=sys.stderr)
    return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
