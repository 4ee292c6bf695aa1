"""What all sources of logs share: which is asked, where a log is divided, and what words leave of it."""

from hypothesis import given
from hypothesis import strategies as st

from bot.evidence.log_source import Log, Logs, Wanted, divided, first, matching, stamp, written

SINCE = 1_795_255_320_000_000
MINUTE = 60_000_000


def wanted(*words: str) -> Wanted:
    return Wanted("shop", "", "cart", SINCE - MINUTE, SINCE, SINCE + MINUTE, words)


def log(start: int, *lines: str) -> str:
    return "".join(f"{written(start + n * 1_000_000)} {line}\n" for n, line in enumerate(lines))


class Source:
    def __init__(self, *logs: Log, problem: str = "") -> None:
        self.logs, self.problem, self.asked = logs, problem, 0

    async def read(self, _wanted: Wanted, *, deadline: float) -> Logs:
        self.asked += 1
        return Logs("x", "q", self.logs, (self.problem,) if self.problem else ())


async def test_the_first_source_with_lines_answers_and_what_those_before_it_lacked_is_said() -> None:
    down, full, last = Source(problem="Loki is down"), Source(Log("a", "", "line\n")), Source()
    read = await first([down, full, last], wanted(), deadline=0)
    assert ([one.name for one in read.logs], read.problems, last.asked) == (["a"], ("Loki is down",), 0)
    assert (await first([down, down], wanted(), deadline=0)).problems == ("Loki is down",)
    assert (await first([], wanted(), deadline=0)).empty


def test_a_log_is_divided_at_the_time_asked_about() -> None:
    before, within = divided(log(SINCE - 2_000_000, "old", "old", "new", "new"), wanted())
    assert before.count("old\n") == 2
    assert within.count("new\n") == 2
    assert divided("", wanted()) == ("", "")


def test_lines_with_all_words_stay_with_a_few_around_them() -> None:
    lines = [f"line {n}" for n in range(40)] + ["Timeout of ledger-DB"] + [f"line {n}" for n in range(40)]
    kept = matching(lines, ["timeout", "ledger-db"])
    assert kept == ["line 38", "line 39", "Timeout of ledger-DB", "line 0", "line 1", "line 2", "line 3", "line 4"]
    assert matching(lines, ["timeout", "absent"]) == []


def test_times_of_any_zone_and_precision_are_read_and_others_are_none() -> None:
    for text in ("2026-11-21T14:02:00.123456789Z", "2026-11-21T16:02:00.123456789+02:00"):
        assert stamp(f"{text} hello") == 1_795_269_720_123_456
    for line in ("hello", "2026-11-21T14:02:00Z", "2026-11-21T14:02:00 naive", "x" * 100 + " y"):
        assert stamp(line) is None


@given(st.lists(st.text(max_size=30), max_size=20), st.integers(0, 20))
def test_dividing_loses_no_line(lines: list[str], place: int) -> None:
    lines = [" ".join(line.split()) or "-" for line in lines]
    text = log(SINCE - place * 1_000_000, *lines)
    assert "".join(divided(text, wanted())) == text
