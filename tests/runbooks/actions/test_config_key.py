"""One key of a ConfigMap that is there gets another value, and its value before brings it back."""

from __future__ import annotations

from typing import Any

import pytest

from bot.runbooks.actions.config_key import ConfigKey
from bot.runbooks.resources import CONFIG_MAP
from tests.runbooks.actions.rendering import after, another, live, read_back, rendered, target, unsuitable

SET, CART = ConfigKey(), target(CONFIG_MAP, "cart")


def config(level: str = "info", **more: Any) -> dict[str, Any]:
    return live("cart", data={"LOG_LEVEL": level, "OTHER": "1"}, **more)


def test_one_key_is_written_and_the_inverse_brings_back_its_value() -> None:
    made = rendered(SET, CART, config(), key="LOG_LEVEL", value="debug")
    assert made.effect[0] == "Key LOG_LEVEL of ConfigMap shop/cart gets another value."
    assert "those that read it as a variable, at their start" in made.effect[1]
    assert after(config(), made.call) == config("debug")
    assert after(config("debug"), made.inverse) == config()


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), (30, "30"), ("On", "On")])
def test_a_value_is_text_as_yaml_would_write_it(value: Any, text: str) -> None:
    assert rendered(SET, CART, config(), key="OTHER", value=value).call.body == {"data": {"OTHER": text}}


@pytest.mark.parametrize(
    ("now", "key", "code", "says"),
    [
        (config(), "LEVEL", "no-key", "has no key LEVEL; it has LOG_LEVEL, OTHER."),
        (live("cart"), "LEVEL", "no-key", "it has none."),
        (config("debug"), "LOG_LEVEL", "no-change", "has that value already"),
        (config(immutable=True), "LOG_LEVEL", "immutable", "it has to be replaced, which no action does"),
    ],
)
def test_what_cannot_be_set_says_why(now: Any, key: str, code: str, says: str) -> None:
    refused = unsuitable(SET, CART, now, key=key, value="debug")
    assert refused.code == code
    assert says in refused.sentence


def test_it_patches_config_maps_and_nothing_else() -> None:
    assert SET.verbs == {CONFIG_MAP.verb("patch")}


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (config("debug"), "applied"),
        (config("info"), "not applied"),
        (config("warning"), "cannot tell"),
        (another(config("debug")), "cannot tell"),
        (None, "cannot tell"),
    ],
)
def test_reading_back(found: Any, verdict: str) -> None:
    assert read_back(SET, config(), config("debug"), found, key="LOG_LEVEL", value="debug") == verdict
