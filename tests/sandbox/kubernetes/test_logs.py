import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.kubernetes.logs import LogOptions, Run, cut, pick_container, pick_run, written
from bot.sandbox.kubernetes.spec import ImageBehaviour
from bot.sandbox.kubernetes.status import ApiError

LINES = [(10.0, b"one"), (20.0, b"two"), (30.5, b"\xff\xfe")]


@pytest.mark.parametrize(
    ("options", "body"),
    [
        (LogOptions(), b"one\ntwo\n\xff\xfe\n"),
        (LogOptions(tail_lines=1), b"\xff\xfe\n"),
        (LogOptions(tail_lines=0), b""),
        (LogOptions(tail_lines=99), b"one\ntwo\n\xff\xfe\n"),
        (LogOptions(limit_bytes=5), b"one\nt"),
        (LogOptions(tail_lines=2, limit_bytes=3), b"two"),
        (LogOptions(since=20.0), b"two\n\xff\xfe\n"),
        (LogOptions(since=20.0, timestamps=True, tail_lines=1), b"1970-01-01T00:00:30.500000000Z \xff\xfe\n"),
    ],
)
def test_a_request_cuts_the_log(options, body):
    assert cut(LINES, options) == body


def test_the_query_is_read():
    query = {"container": "app", "previous": "true", "tailLines": "5", "limitBytes": "9", "sinceSeconds": "60"}
    assert LogOptions.of(query, 1000.0) == LogOptions("app", True, False, 5, 9, 940.0)
    assert LogOptions.of({"sinceTime": "1970-01-01T00:00:30Z"}, 1000.0).since == 30.0


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"follow": "true"}, 501),
        ({"tailLines": "-1"}, 422),
        ({"limitBytes": "0"}, 422),
        ({"sinceSeconds": "0"}, 422),
        ({"tailLines": "many"}, 400),
        ({"sinceTime": "yesterday"}, 400),
        ({"sinceTime": "1970-01-01T00:00:30Z", "sinceSeconds": "5"}, 422),
    ],
)
def test_a_query_that_cannot_be(query, code):
    with pytest.raises(ApiError) as caught:
        LogOptions.of(query, 1000.0)
    assert caught.value.code == code


def test_a_container_has_to_be_chosen_among_several():
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a"}, {"name": "b"}]}}
    assert pick_container(pod, "b") == "b"
    for wanted, why in (("", r"choose one of: \[a b\]"), ("c", "container c is not valid for pod p")):
        with pytest.raises(ApiError, match=why):
            pick_container(pod, wanted)


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ({"waiting": {"reason": "ErrImagePull"}}, "is waiting to start: image can't be pulled"),
        ({"waiting": {"reason": "ImagePullBackOff"}}, "is waiting to start: trying and failing to pull image"),
        ({"waiting": {"reason": "ContainerCreating"}}, "is waiting to start: ContainerCreating"),
    ],
)
def test_a_container_that_never_started_has_no_log(state, why):
    with pytest.raises(ApiError, match=why) as caught:
        pick_run("p", "app", state, (None, None), False)
    assert caught.value.code == 400


def test_previous_is_the_run_before():
    first, second = Run(ImageBehaviour(), 1.0, 2.0), Run(ImageBehaviour(), 3.0)
    running = {"running": {}}
    assert pick_run("p", "app", running, (second, first), False) is second
    assert pick_run("p", "app", running, (second, first), True) is first
    with pytest.raises(ApiError, match='previous terminated container "app" in pod "p" not found'):
        pick_run("p", "app", running, (second, None), True)


def test_a_run_writes_at_its_start_on_its_way_and_at_its_end():
    behaviour = ImageBehaviour(start_log=("s",), steady_log=("a", "b"), steady_every=10, exit_log=("e",))
    assert written(Run(behaviour, 100.0), 100.0) == [(100.0, b"s")]
    assert written(Run(behaviour, 100.0), 125.0) == [(100.0, b"s"), (110.0, b"a"), (120.0, b"b")]
    assert written(Run(behaviour, 100.0, 115.0), 999.0) == [(100.0, b"s"), (110.0, b"a"), (115.0, b"e")]


@settings(max_examples=60)
@given(st.floats(0, 1e7), st.floats(0.01, 60))
def test_a_log_is_bounded_in_order_and_never_of_the_future(age, every):
    behaviour = ImageBehaviour(start_log=("s",), steady_log=("x",), steady_every=every)
    lines = written(Run(behaviour, 1e6), 1e6 + age)
    assert len(lines) <= 5000
    assert lines == sorted(lines, key=lambda line: line[0])
    assert all(at <= 1e6 + age for at, _ in lines)
