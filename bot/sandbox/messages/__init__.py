"""A stand-in for the Messages API that says what it is told to, and is no model.

    sandbox = await start(port=0)
    sandbox.url                    # ANTHROPIC_BASE_URL
    sandbox.api_key                # ANTHROPIC_API_KEY, good for nothing else

`POST /v1/messages`, `POST /v1/messages/count_tokens`, `GET /v1/models` and `/v1/models/{id}` check headers
and bodies as the API does (`requests`, `output_schema`). The answers are scripted:

| request | does |
| --- | --- |
| `POST /sandbox/messages/script {"answers": […]}` | adds answers (script.Answer) |
| `GET`, `DELETE /sandbox/messages/script` | what waits; forgets it |
| `GET`, `DELETE /sandbox/messages/requests` | what was asked, without keys; forgets it |

Without a script it answers 500 `not_scripted`, so that nobody takes it for a model. Streaming, tools' answers
and batches are not played. Only programs of this machine are heard (bot.sandbox.loopback).
"""

from bot.sandbox.messages.script import Answer
from bot.sandbox.messages.server import MessagesSandbox, start

__all__ = ["Answer", "MessagesSandbox", "start"]
