from collections.abc import AsyncIterator

import pytest

from bot.model.gateway import Gateway
from bot.redact import Redactor
from bot.sandbox import messages


@pytest.fixture
async def gateway(model: messages.MessagesSandbox) -> AsyncIterator[Gateway]:
    made = Gateway(api_key=model.api_key, base_url=model.url, redactor=Redactor(), max_retries=0)
    yield made
    await made.close()
