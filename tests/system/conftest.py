"""Installations of one configuration each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.system.town import OpenShop, Town, checkout_alert, quick_runbooks, town


@pytest.fixture
def configured(tmp_path: Path) -> OpenShop:
    """An installation with these keys in its configuration file, and checkout just broken."""

    @asynccontextmanager
    async def opened(**changes: Any) -> AsyncIterator[Town]:
        async with town(tmp_path, runbooks=quick_runbooks(tmp_path / "runbooks")) as here:
            here.configure(**changes)
            await here.serve()
            await here.alert(checkout_alert())
            yield here

    return opened
