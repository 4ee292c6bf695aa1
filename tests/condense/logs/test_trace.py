import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.condense.logs.trace import Follower, Kind, kind

PYTHON = """\
Traceback (most recent call last):
  File "/app/pay.py", line 41, in charge
    key = os.environ['STRIPE_API_KEY']
KeyError: 'STRIPE_API_KEY'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/pay.py", line 50, in main
    charge()
subprocess.TimeoutExpired: Command 'x' timed out"""
JAVA = """\
java.lang.OutOfMemoryError: Java heap space
\tat com.acme.cart.Store.load(Store.java:214)
\tat java.base/java.lang.Thread.run(Thread.java:833)
Caused by: java.io.IOException: disk
\tat com.acme.cart.Disk.read(Disk.java:9)
\t... 12 more"""
GO = """\
panic: runtime error: index out of range [7] with length 7

goroutine 118 [running]:
main.(*Router).pick(0xc0001a2000, 0x7)
\t/src/router.go:88 +0x1d
created by main.main in goroutine 1
\t/src/main.go:12 +0x5a
exit status 2"""
NODE = """\
/app/server.js:10
    throw new Error("boom")
    ^

TypeError: boom
    at handle (/app/server.js:10:11)
    at async run (node:internal/x:1:2)"""
RUST = """\
thread 'main' panicked at src/main.rs:4:10:
called `Option::unwrap()` on a `None` value
stack backtrace:
   0: rust_begin_unwind
             at /rustc/library/std/src/panicking.rs:652:5
note: run with `RUST_BACKTRACE=full` for a verbose backtrace."""
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAQAB\n-----END RSA PRIVATE KEY-----"


def sizes(text: str) -> list[int]:
    """Return the number of lines of each record."""
    follow = Follower()
    found: list[int] = []
    for line in text.split("\n"):
        if follow.continues(kind(line)):
            found[-1] += 1
        else:
            found.append(1)
    return found


@pytest.mark.parametrize(
    "trace", [PYTHON, JAVA, GO, NODE, RUST, PEM], ids=["Python", "Java", "Go", "Node", "Rust", "PEM"]
)
def test_a_trace_is_one_record_and_its_surroundings_are_not(trace: str) -> None:
    lines = trace.count("\n") + 1
    assert sizes(f"ready to serve\n{trace}\nready to serve again") == [1, lines, 1]


def test_a_trace_belongs_to_the_error_that_was_logged_above_it() -> None:
    follow = Follower()
    assert not follow.continues(Kind.PLAIN, severe=True, headed=True)
    assert follow.continues(Kind.HEAD)
    assert follow.continues(Kind.FRAME)
    assert not follow.continues(Kind.PLAIN, headed=True)


def test_a_frame_belongs_to_the_line_above_whatever_that_is() -> None:
    assert sizes("it broke\n\tat com.acme.A.b(A.java:1)\nall good") == [2, 1]


def test_indentation_alone_joins_nothing() -> None:
    assert sizes("with:\n  path: x\n  token: y\n") == [1, 1, 1, 1]


def test_two_traces_in_a_row_are_two() -> None:
    assert sizes(f"{JAVA}\n{JAVA}") == [6, 6]


@given(st.lists(st.sampled_from(list(Kind)), max_size=1000))
@settings(max_examples=50)
def test_records_are_bounded_whatever_comes(kinds: list[Kind]) -> None:
    follow = Follower()
    length = longest = 0
    for one in kinds:
        length = length + 1 if follow.continues(one) else 1
        longest = max(longest, length)
    assert longest <= 400


@given(st.text(max_size=600))
@settings(max_examples=200)
def test_every_line_is_of_some_kind(text: str) -> None:
    assert kind(text) in Kind
