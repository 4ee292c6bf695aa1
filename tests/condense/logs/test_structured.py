import json

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.condense.logs.structured import fields


def test_a_json_line_is_grouped_by_its_message_and_its_error() -> None:
    found = fields('{"level":"error","ts":"2026-11-21T09:03:22Z","msg":"ping db","err":"refused","order":7}')
    assert found is not None
    assert (found.message, found.level, found.time) == ("ping db refused", "error", "2026-11-21T09:03:22Z")
    assert found.shown == "ERROR ping db err=refused order=7"


def test_numbered_levels_of_node_loggers_are_known() -> None:
    found = fields('{"level":50,"time":1700000000123,"msg":"boom"}')
    assert found is not None
    assert (found.level, found.time) == ("error", "1700000000123")


def test_a_json_line_without_a_message_is_grouped_by_all_fields() -> None:
    found = fields('{"status":200,"path":"/x"}')
    assert found is not None
    assert found.message == "status=200 path=/x"


def test_logfmt_is_grouped_by_its_message_and_shown_as_it_is() -> None:
    found = fields('time="2026-11-21T09:03:22Z" level=warning msg="slow \\"query\\"" took=3s')
    assert found is not None
    assert (found.message, found.level, found.shown) == ('slow \\"query\\"', "warning", None)


def test_what_is_neither_is_none() -> None:
    for text in ("plain words", "{not json}", "{}", "[1]", "a=1", '{"a":' * 5000 + "1" + "}" * 5000, '{"open": 1'):
        assert fields(text) is None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["msg", "level", "time", "err", "x"]) | st.text(max_size=8)


@given(st.dictionaries(names, values, min_size=1, max_size=6))
@settings(max_examples=150)
def test_any_object_is_read_and_shown_on_one_line(data: dict[str, object]) -> None:
    found = fields(json.dumps(data))
    assert found is not None
    assert found.shown is not None
    assert "\n" not in found.shown


@given(st.text(max_size=300))
@settings(max_examples=150)
def test_any_text_is_read_without_an_error(text: str) -> None:
    fields(text)
    fields("level=info " + text)
    fields("{" + text + "}")
