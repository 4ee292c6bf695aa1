import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.condense.diff.cost import MARGIN, line_cost

# Counted with o200k_base, the newline included.
COUNTED = [
    ("+        image: quay.io/prometheus/prometheus:v2.47.0", 17),
    ("-          allowPrivilegeEscalation: false", 10),
    ("+    def test_reads_every_page_of_the_listing(self) -> None:", 15),
    ('       "version": "e80c8966f1153c5b6221fe3ae07335066b6c108e",', 30),
    ("@@ -120 +134", 6),
    ('+resource "aws_db_instance" "orders" {', 11),
]


@pytest.mark.parametrize(("line", "tokens"), COUNTED)
def test_a_line_costs_about_what_the_vocabulary_says(line: str, tokens: int) -> None:
    assert 0.7 * tokens <= line_cost(line) <= 1.7 * tokens


def test_together_the_lines_cost_a_little_more_than_the_vocabulary_says() -> None:
    true = sum(tokens for _, tokens in COUNTED)
    assert true <= sum(line_cost(line) for line, _ in COUNTED) <= true * MARGIN * 1.2


@given(st.text(max_size=300))
def test_every_line_costs_something_and_at_most_a_token_and_a_half_a_byte(text: str) -> None:
    assert 1 <= line_cost(text) <= 1.8 * len(text.encode("utf-8", "surrogatepass")) + 2


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("+qjxkvzw pfgqhzt vbxjqkd wzcvmjq", 18),
        ("+聚嚴亶龢蘷籲钁", 15),
        ("+}(;?@~|>%^&)<!*", 12),
        ("+SGVsbG8gd29ybGQhIFRoaXMgaXMgYmFzZTY0", 26),
        ("+1 0 1 1 0 0 1 0 1 1 1 0", 25),
        ("+\t31, 139, 8, 0, 0, 9, 110, 136", 25),
        ("+- 48213", 5),
        ("+  [12, 907, 3, 441, 88],", 17),
        ("+1f 8b 08 00 9e e4", 16),
        ("+7   1   0   4   9", 15),
        (
            "+| windows hold at the vote | `tests/approvals/test_windows.py`<br>"
            "`tests/system/test_sign_off.py::test_a_freeze_refuses_an_approval` |",
            38,
        ),
        ("+a x q b z j c y", 9),
        ("+ѡѧѱѳѵҁҋҍ", 18),
        ("+ƍƛǂǝȡȴɀɏ", 18),
        ("+ϗϙϛϝϟϡϣϥ", 18),
        ("+ڀڃڎڗڠڭںۅ", 14),
    ],
)
def test_text_made_to_cost_much_is_not_counted_as_cheap(text: str, tokens: int) -> None:
    assert line_cost(text) >= tokens


@given(st.lists(st.integers(0, 999), min_size=1, max_size=200))
def test_a_number_between_blanks_costs_two_tokens(numbers: list[int]) -> None:
    assert line_cost("+" + " ".join(map(str, numbers))) >= 2 * len(numbers)


def test_long_words_are_not_cheap() -> None:
    assert line_cost("x" * 10_000) > 2_000
    assert line_cost("X" * 10_000) > 2_000
