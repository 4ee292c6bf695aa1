from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.condense.logs.choice import choose
from tests.condense.logs.reading import read_log, steady


def best(lines: list[str], how_many: int = 1) -> list[str]:
    return [ranked.record.lines[0].text for ranked in choose(read_log("\n".join(lines)))[:how_many]]


def with_lines(lines: list[str], at: int, *new: str) -> list[str]:
    return [*lines[:at], *new, *lines[at:]]


def test_in_a_steady_log_the_line_that_was_never_seen_comes_first_though_it_is_quiet() -> None:
    log = with_lines(steady(3000), 1700, "2026-11-21T09:28:20Z INFO ring: leader changed from node-3 to node-1")
    assert best(log) == ["INFO ring: leader changed from node-3 to node-1"]


def test_where_everything_cries_error_the_rare_line_comes_first() -> None:
    noise = [f"ERROR pool: could not return connection {i} to pool, ignored" for i in range(3000)]
    assert best(with_lines(noise, 900, "schema version 42 is newer than supported 41")) == [
        "schema version 42 is newer than supported 41"
    ]


def build_log() -> list[str]:
    """A build: nearly every line is unlike any other."""
    letters = "abcdefghij"

    def word(n: int) -> str:
        return "".join(letters[int(digit)] for digit in str(n * 7919 + 10**6))

    return [f"Linking {word(i)} for {word(i + 1)} into {word(i + 2)}" for i in range(400)]


def test_where_every_line_is_rare_the_one_that_says_error_comes_first() -> None:
    log = with_lines(build_log(), 300, "ld: undefined reference to `main'")
    assert best(log) == ["ld: undefined reference to `main'"]


def test_the_lines_before_a_failure_come_before_lines_elsewhere() -> None:
    log = with_lines(build_log(), 300, "##[error]Process completed with exit code 2.")
    assert log[299] in best(log, 3)


def test_a_trace_comes_whole() -> None:
    trace = ["Traceback (most recent call last):", '  File "/app/a.py", line 1, in f', "    x()", "KeyError: 1"]
    first = choose(read_log("\n".join(with_lines(steady(3000), 2000, *trace))))[0]
    assert [line.text for line in first.record.lines] == trace


def test_a_repetition_is_worth_less_than_what_was_not_yet_said() -> None:
    log = steady(3000)
    for at in (500, 1000, 1500):
        log = with_lines(log, at, f"2026-11-21T09:10:00Z ERROR db: lost connection {at}")
    log = with_lines(log, 2000, "2026-11-21T09:40:00Z ERROR disk: read-only file system")
    first, second = best(log, 2)
    assert {first.split()[1], second.split()[1]} == {"db:", "disk:"}


def test_what_the_baseline_does_not_know_comes_first() -> None:
    errors = [f"2026-11-21T09:10:00Z ERROR db: lost connection {n}" for n in range(3)]
    log = with_lines(with_lines(steady(3000), 100, *errors), 2000, "2026-11-21T09:40:00Z INFO flag: dark mode on")
    known = "\n".join([*steady(500), *errors])
    first = choose(read_log("\n".join(log), baseline=known))[0]
    assert first.record.lines[0].text == "INFO flag: dark mode on"


def test_what_began_shortly_before_the_alert_comes_first() -> None:
    log = with_lines(steady(6000), 1200, "2026-11-21T09:20:00Z WARN pool: 9 idle workers were replaced")
    log = with_lines(log, 5000, "2026-11-21T10:23:19Z WARN quota: 9 tenants were moved")
    for at, first in ((9, "WARN pool: 9 idle workers were replaced"), (10, "WARN quota: 9 tenants were moved")):
        alert = int(datetime(2026, 11, 21, at, 25, tzinfo=UTC).timestamp() * 1_000_000)
        assert choose(read_log("\n".join(log)), around=alert)[0].record.lines[0].text == first


def test_a_burst_comes_before_as_many_lines_spread_evenly() -> None:
    even, burst = "INFO gc: freed {} pages early", "INFO ring: rebalanced {} shards now"
    log = []
    for n, line in enumerate(steady(12_000)):
        log.append(line)
        if n % 60 == 0:
            log.append(even.format(n))
        if 6000 <= n < 6200:
            log.append(burst.format(n))
    order = best(log, 400)
    assert next(i for i, text in enumerate(order) if text.startswith("INFO ring")) < next(
        (i for i, text in enumerate(order) if text.startswith("INFO gc")), 400
    )


def test_an_echoed_script_is_not_taken_for_its_outcome() -> None:
    log = ["##[group]Run make", *(f"echo step {n}" for n in "abcdef"), "exit 1", "##[endgroup]", *build_log()]
    log = with_lines(log, 350, "cc: no such file: x.c")
    assert best(log) == ["cc: no such file: x.c"]


lines = st.sampled_from(
    [*steady(8), "panic: x", "\tat a.B(c:1)", "", "KeyError: 1", "FAIL y", "{}", "-----BEGIN X-----"]
)


@given(st.lists(lines, max_size=80))
@settings(max_examples=60)
def test_every_kept_line_is_in_exactly_one_record(log: list[str]) -> None:
    reading = read_log("\n".join(log))
    found = choose(reading)
    assert sorted(line.number for one in found for line in one.record.lines) == list(range(1, reading.lines + 1))
    assert [one.worth for one in found] == sorted((one.worth for one in found), reverse=True)
