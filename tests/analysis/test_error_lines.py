import time

import pytest

from bot.analysis.error_lines import error_lines, last_words, message


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("2026-11-21T08:00:00.123Z ERROR no disk", "ERROR no disk"),
        ("2026-11-21 08:00:00,123 [main] ERROR no disk", "[main] ERROR no disk"),
        ("[2026-11-21 08:00:00] no disk", "no disk"),
        ("E1121 08:00:00.123456 1 main.go:7] no disk", "1 main.go:7] no disk"),
        ('{"level":"error","msg":"no disk","error":"ENOSPC","ts":1}', "no disk: ENOSPC"),
        ('{"level":"error", cut', '{"level":"error", cut'),
        ("Traceback (most recent call last):", "Traceback (most recent call last):"),
        ("[ERROR] no disk", "[ERROR] no disk"),
    ],
)
def test_the_message_of_a_line(raw, said):
    assert message(raw) == said


@pytest.mark.parametrize(
    ("line", "gravity"),
    [
        ("panic: runtime error: index out of range", 3),
        ("java.lang.IllegalStateException: no bean", 3),
        ("Caused by: java.io.IOException", 3),
        ("ERROR cannot parse", 2),
        ('level=error msg="cannot parse"', 2),
        ('10.0.0.1 - "GET /pay HTTP/1.1" 503 19', 2),
        ('INFO:     10.0.0.1 - "GET /pay HTTP/1.1" 500 Internal Server Error', 2),
        ("level=info request done status=500", 2),
        ('10.0.0.1 - "GET /pay HTTP/1.1" 200 500', 0),
        ("upstream refused the request", 1),
        ("INFO error rate is fine", 0),
        ('{"level":"info","msg":"retry after error"}', 0),
        ("finished with 0 errors", 0),
        ('{"msg":"done","error":null}', 0),
        ("\tat com.example.Main.run(Main.java:17)", 0),
        ("all is well", 0),
    ],
)
def test_how_grave_a_line_sounds(line, gravity):
    found = error_lines(line, limit=1)
    assert (found[0].gravity if found else 0) == gravity


def test_alike_lines_are_counted_together_and_the_latest_is_shown():
    (found,) = error_lines("ERROR order 17 failed after 3 ms\nERROR order 18 failed after 44 ms\n", limit=5)
    assert (found.text, found.count, found.position) == ("ERROR order 18 failed after 44 ms", 2, 1)


def test_one_fault_told_by_several_services_is_one():
    (found,) = error_lines(
        "ERROR payment-service database query failed: syntax error near FORM\n"
        "ERROR order-service database query failed: syntax error near FORM\n",
        limit=5,
    )
    assert found.count == 2


def test_last_words_are_the_latest_of_the_gravest():
    log = "ERROR retrying\nTraceback (most recent call last):\n  File 'x'\nValueError: bad port\nINFO bye\n"
    assert last_words(log) == "ValueError: bad port"


def test_a_log_without_errors_ends_with_its_last_line():
    assert last_words("starting\nstopped by itself\n\n") == "stopped by itself"
    assert last_words("") == ""


def test_hostile_logs_cost_bounded_time():
    before = time.process_time()
    error_lines("ERROR " + "a " * 2_000_000, limit=5)
    error_lines("\n".join(f"ERROR {'x' * (n % 97)} {n}" for n in range(100_000)), limit=5)
    error_lines("{" * 100_000, limit=5)
    assert time.process_time() - before < 10
