"""Logging: one line an event, JSON where nobody watches, and no secret in any line, ours or a library's."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot import log
from bot.redact import Redactor

SECRET = "correct-horse-battery-staple"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level, config = root.handlers[:], root.level, structlog.get_config()
    out = io.StringIO()
    log.configure(Redactor([SECRET]), level="info", stream=out)
    yield out
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**config)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json(stream: io.StringIO) -> None:
    structlog.get_logger("bot.tried").info("something happened", number=7, text="two\nlines “é”")
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["logger"]) == ("something happened", "info", "bot.tried")
    assert (line["number"], line["text"]) == (7, "two\nlines “é”")
    assert str(line["timestamp"]).endswith("Z")
    assert "“é”" in stream.getvalue()


def test_a_library_s_line_is_like_ours(stream: io.StringIO) -> None:
    logging.getLogger("somebody.else").warning("it says %s", "this")
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["logger"]) == ("it says this", "warning", "somebody.else")


@pytest.mark.parametrize("who", ["ours", "a library"])
def test_no_secret_passes_wherever_it_stands(stream: io.StringIO, who: str) -> None:
    ours, theirs = structlog.get_logger("bot.tried"), logging.getLogger("somebody.else")
    try:
        raise ValueError(f"cannot connect with {SECRET}")
    except ValueError as error:
        if who == "ours":
            ours.warning(f"event {SECRET}", value=SECRET, nested={"list": [SECRET]}, exc_info=error)
        else:
            theirs.warning("event %s", SECRET, exc_info=error)
    (line,) = lines(stream)
    assert SECRET not in stream.getvalue()
    assert "ValueError: cannot connect with" in str(line["exception"])
    assert "Traceback" in str(line["exception"])


def test_password_like_text_is_redacted_too(stream: io.StringIO) -> None:
    structlog.get_logger("bot.tried").info("connecting", url="postgresql://signoff:hunter2x@db/signoff")
    assert "hunter2x" not in stream.getvalue()


def test_the_level_holds_and_chatty_libraries_are_heard_from_warnings_on(stream: io.StringIO) -> None:
    structlog.get_logger("bot.tried").debug("not this")
    logging.getLogger("aiohttp.access").info("nor this")
    logging.getLogger("kubernetes.client.rest").info("nor this")
    logging.getLogger("aiohttp.access").warning("but this")
    assert [line["event"] for line in lines(stream)] == ["but this"]


def test_on_a_terminal_it_is_for_eyes() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    root = logging.getLogger()
    handlers, level, config = root.handlers[:], root.level, structlog.get_config()
    out = Terminal()
    try:
        log.configure(Redactor([SECRET]), level="info", stream=out)
        structlog.get_logger("bot.tried").warning("look", what=SECRET)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.configure(**config)
    assert "look" in out.getvalue()
    assert not out.getvalue().startswith("{")
    assert SECRET not in out.getvalue()
