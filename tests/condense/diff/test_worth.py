from bot.condense.diff.patch import Line
from bot.condense.diff.worth import LEVELS, Stakes, worth
from bot.condense.risk.rule import Risk


def added(text: str) -> Line:
    return Line("+", text, None, 1)


def test_a_line_has_the_worst_of_its_risks() -> None:
    stakes = Stakes.of([Risk("a", "low", "", "-", 3), Risk("b", "critical", "", "-", 3), Risk("c", "high", "", "+", 3)])
    assert stakes.level(Line("-", "", 3, None)) == LEVELS["critical"]
    assert stakes.level(Line("+", "", None, 3)) == LEVELS["high"]
    assert stakes.level(Line(" ", "", 3, 3)) == stakes.level(Line("+", "", None, 4)) == 0


def test_what_is_at_stake_counts_most_then_what_a_line_says() -> None:
    order = [
        worth(added("x: 1"), LEVELS["critical"], "source"),
        worth(added("x: 1"), LEVELS["high"], "source"),
        worth(added("x: 1"), LEVELS["low"], "source"),
        worth(Line("-", "    x = f(y)", 1, None), 0, "source"),
        worth(added("    x = f(y)"), 0, "source"),
        worth(added("    }"), 0, "source"),
    ]
    assert order == sorted(order, reverse=True)
    assert len(set(order)) == len(order)


def test_a_risk_in_a_generated_file_counts_more_than_harmless_source() -> None:
    assert worth(added("x"), LEVELS["critical"], "generated") > worth(added("def f():"), 0, "source")
    assert worth(added("x"), 0, "generated") < worth(added("x"), 0, "docs") < worth(added("x"), 0, "test")


def test_comments_imports_and_endless_lines_say_little() -> None:
    plain = worth(added("y = g(1)"), 0, "source")
    for text in ("# a comment", "import os", "from a import b", "}", "", "x" * 5000):
        assert worth(added(text), 0, "source") < plain
