import json
from dataclasses import asdict

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.condense.logs.templates import Template, templates
from tests.condense.logs.reading import as_is, read_log, steady


def of(data: str, baseline: str = "") -> list[Template]:
    return templates(read_log(data, baseline=baseline), as_is)


def test_a_template_says_what_is_constant_how_often_where_and_when() -> None:
    first = of("\n".join(steady(400)))[0]
    assert first.id == "T1"
    assert first.template == "GET <*> took <*> ms"
    assert (first.count, first.first_line, first.last_line) == (100, 1, 397)
    assert first.example.endswith("INFO web: GET /api/orders/0 took 0 ms")
    assert (first.first_time, first.severity) == ("2026-11-21T09:00:00Z", "info")


def test_numbers_that_vary_have_least_median_and_greatest() -> None:
    (template,) = of("\n".join(f"took {n} ms in total {n}" for n in (5, 1, 9)))
    assert [values.numbers for values in template.values] == [(1, 5, 9), (1, 5, 9)]


def test_words_that_vary_have_their_top_values() -> None:
    users = ["root"] * 5 + ["news"] * 2 + ["cyrus"]
    (template,) = of("\n".join(f"session closed for user {user}" for user in users))
    assert template.values[0].top == (("root", 5), ("news", 2), ("cyrus", 1))
    assert template.values[0].distinct == 3


def test_the_rate_shows_when_a_burst_came() -> None:
    lines = steady(20_000)
    lines[15_000:15_000] = ["2026-11-21T13:10:00Z ERROR db: lost connection 7"] * 2_000
    (burst,) = (template for template in of("\n".join(lines)) if template.severity == "error")
    assert sum(burst.rate) == 2_000
    assert sum(burst.rate[15:19]) >= 1_900


def test_what_was_only_in_the_baseline_has_count_zero() -> None:
    counts = {t.template: (t.count, t.before) for t in of("alive 1\n", baseline="heartbeat 1\nheartbeat 2\n")}
    assert counts == {"alive <*>": (1, 0), "heartbeat <*>": (0, 2)}


def test_all_that_leaves_is_redacted() -> None:
    data = "\n".join(f"login token=hunter{n} by hunter{n}" for n in range(5))
    found = templates(read_log(data), lambda text: text.replace("hunter", "[secret]"))
    assert "hunter" not in json.dumps([asdict(template) for template in found])


@given(st.lists(st.binary(max_size=60), max_size=30))
@settings(max_examples=60)
def test_any_log_has_templates_that_are_plain_json_and_count_every_line(lines: list[bytes]) -> None:
    reading = read_log(b"\n".join(lines))
    found = templates(reading, as_is)
    json.dumps([asdict(template) for template in found], allow_nan=False)
    assert sum(template.count for template in found) == reading.lines
    for template in found:
        assert 1 <= template.first_line <= template.last_line <= reading.lines
