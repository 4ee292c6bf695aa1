from hypothesis import given
from hypothesis import strategies as st

from bot.evidence.lines import MAX_STRING, bounded, counted, fit, one_line, plain, shorten, without_pod_uid

NESTED = st.recursive(
    st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


def test_terminal_escapes_and_direction_changes_are_taken_out():
    assert (
        plain("\x1b[31mred\x1b[0m \x1b]0;title\x07x\u202ekcab\u2066 \x00tab\tnew\r\nline") == "red xkcab tab\tnew\nline"
    )


def test_a_long_text_keeps_both_ends_and_says_what_is_gone():
    assert shorten("a" * 60 + "b" * 60, 60) == "a" * 40 + " …(60 characters left out)… " + "b" * 20
    assert shorten("short", 60) == "short"


def test_one_line_of_anything():
    assert one_line(" two\n\tlines ") == "two lines"
    assert one_line(7) == "7"


def test_lines_that_do_not_fit_are_counted():
    text = fit([f"line {number}" for number in range(100)], 100)
    assert text.startswith("line 0\nline 1\n")
    assert text.endswith("(92 more lines left out)")
    assert fit(["a", "b"], 100) == "a\nb"


def test_words_are_counted():
    assert [counted(number, "pod") for number in (0, 1, 2)] == ["0 pods", "1 pod", "2 pods"]


def test_a_pods_uid_is_noise():
    said = "failed container=app pod=app-1_shop(a954616f-1e09-4496-be7b-9d5322d99875)"
    assert without_pod_uid(said) == "failed container=app pod=app-1_shop"


@given(st.lists(st.text(max_size=40), max_size=60), st.integers(min_value=80, max_value=400))
def test_fitted_lines_fit(lines, limit):
    assert len(fit(lines, limit)) <= limit


@given(NESTED, st.integers(min_value=1, max_value=20_000))
def test_bounded_data_is_bounded(data, size):
    def longest(value):
        if isinstance(value, str):
            return len(value)
        if isinstance(value, dict):
            return max((longest(inner) for inner in value.values()), default=0)
        if isinstance(value, list):
            return max(map(longest, value), default=0)
        return 0

    assert longest(bounded({"said": "x" * size, "data": data})) <= MAX_STRING + 60


def test_deep_data_is_cut():
    deep: object = "bottom"
    for _ in range(1000):
        deep = [deep]
    assert "bottom" not in repr(bounded(deep))
