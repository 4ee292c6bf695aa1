import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.condense.logs.header import RANK, header

# line, what is shown of it, message, level, time
FORMS = {
    "HDFS": (
        "081109 203615 148 INFO dfs.DataNode: Got block",
        "148 INFO dfs.DataNode: Got block",
        "Got block",
        "info",
        "081109 203615",
    ),
    "several times, the level behind the last": (
        "- 1117838570 2005.06.03 R02-M1 2005-06-03-15.42.50.675872 R02-M1 RAS KERNEL FATAL data TLB error interrupt",
        "R02-M1 RAS KERNEL FATAL data TLB error interrupt",
        "data TLB error interrupt",
        "fatal",
        "1117838570",
    ),
    "syslog": (
        "Jun  9 15:16:01 web1 sshd(pam_unix)[199]: check pass; user unknown",
        "web1 sshd(pam_unix)[199]: check pass; user unknown",
        "check pass; user unknown",
        "",
        "Jun  9 15:16:01",
    ),
    "Apache": ("[Sun Dec 04 04:47:44 2005] [error] no file", "[error] no file", "no file", "error", None),
    "pipes": ("20171223-22:15:29:606|Step_LSC|30002312|flush 3", "Step_LSC|30002312|flush 3", "flush 3", "", None),
    "Android": ("03-17 16:13:38.811  1702  2395 W Power: low", "1702  2395 W Power: low", "low", "warning", None),
    "log4j": (
        "2015-07-29 17:41:44,747 - WARN  [Send[my=1]:Cnx$Send@688] - leaving",
        "WARN  [Send[my=1]:Cnx$Send@688] - leaving",
        "leaving",
        "warning",
        "2015-07-29 17:41:44,747",
    ),
    "Spring": (
        "2026-11-21 09:03:22.123  INFO 1 --- [main] c.e.demo.App : Started",
        "INFO 1 --- [main] c.e.demo.App : Started",
        "Started",
        "info",
        None,
    ),
    "Python": (
        "2026-11-21 09:03:22,123 - shop.cart - ERROR - broke",
        "shop.cart - ERROR - broke",
        "broke",
        "error",
        None,
    ),
    "klog": (
        "E1121 09:03:22.123456 7 reflector.go:147] Failed to watch",
        "E1121 09:03:22.123456 7 reflector.go:147] Failed to watch",
        "Failed to watch",
        "error",
        "1121 09:03:22.123456",
    ),
    "a container runtime's header before klog's": (
        "2026-11-21T09:03:22.123456789Z stdout F I0412 14:03:22.123456 1 controller.go:114] Starting",
        "I0412 14:03:22.123456 1 controller.go:114] Starting",
        "Starting",
        "info",
        "2026-11-21T09:03:22.123456789Z",
    ),
    "zap": ("2026-11-21T09:03:22.1Z\tinfo\tctl/x.go:12\tready", "info\tctl/x.go:12\tready", "ready", "info", None),
    "PostgreSQL": (
        "2026-11-21 09:03:22.1 UTC [48] ERROR:  deadlock detected",
        "[48] ERROR:  deadlock detected",
        "deadlock detected",
        "error",
        None,
    ),
    "GitHub Actions": (
        "2026-11-21T09:03:22.1234567Z ##[error]Process completed",
        "##[error]Process completed",
        "##[error]Process completed",
        "error",
        None,
    ),
    "indentation behind a stamp stays": (
        "2026-11-21T09:03:22.1234567Z     at f (a.js:1:2)",
        "    at f (a.js:1:2)",
        "    at f (a.js:1:2)",
        "",
        None,
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_usual_headers_are_read(form: str) -> None:
    line, shown, message, level, time = FORMS[form]
    head = header(line)
    assert line[head.shown :] == shown
    assert line[head.message :] == message
    assert head.level == level
    if time is not None:
        assert head.time == time


@pytest.mark.parametrize(
    "line",
    [
        "1365301360 double-hummer alignment exceptions",
        "Server started at 2026-11-21 09:03:22 on port 80",
        "connection from 10.0.0.1 (a.example) at Fri Jun 17 07:07:00 2005",
        "Traceback (most recent call last):",
        "npm ERR! code ELIFECYCLE",
        "",
    ],
)
def test_a_message_without_a_header_is_left_alone(line: str) -> None:
    assert header(line).message == 0


def test_pod_and_container_of_a_prefix_are_the_source() -> None:
    assert header("[pod/shop-7d9f-x2x4z/web] 2026-11-21T09:03:22Z hi").source == "pod/shop-7d9f-x2x4z/web"


@given(st.text(max_size=300))
@settings(max_examples=200)
def test_any_text_is_read_without_an_error(line: str) -> None:
    head = header(line)
    assert 0 <= head.shown <= len(line)
    assert 0 <= head.message <= len(line)
    assert head.level in RANK
