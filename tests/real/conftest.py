"""What the tests with real components share: how to insist on one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def installed() -> Callable[[str], str]:
    """Find a Debian package's program. In CI an absent one is a failure, never a reason to leave tests out."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
            missing(f"there is no {name}: apt-get install {name}")
        return str(path)

    return find
