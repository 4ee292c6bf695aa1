from hypothesis import given, settings
from hypothesis import strategies as st

from bot.clients.kubernetes import Tail
from bot.evidence.logs import Stream, shape, streams, well
from bot.evidence.pods import facts
from bot.redact import Redactor
from tests.evidence.objects import NOW, container_status, pod, running

PLAIN = Redactor()
CRASHED = {"reason": "Error", "exitCode": 1}


def chosen(*pods, named=""):
    return streams(facts(pods, NOW, named=named)["pods"])


def shaped(text, *, cut=0, complete=True):
    return shape(Tail(text, cut, complete), PLAIN)


def test_a_container_that_waits_to_be_restarted_has_one_log_that_of_its_crash():
    crashing = container_status(restarts=3, waiting={"reason": "CrashLoopBackOff"}, last=CRASHED)
    assert chosen(pod("a", crashing)) == [Stream("a", "app", previous=False)]


def test_a_container_that_runs_again_has_two():
    assert chosen(pod("a", running(restarts=1, last=CRASHED))) == [
        Stream("a", "app", previous=False),
        Stream("a", "app", previous=True),
    ]


def test_a_container_that_never_ran_has_none():
    assert chosen(pod("a", container_status(waiting={"reason": "ImagePullBackOff"}))) == []


def test_a_failing_init_container_is_read_and_not_what_waits_for_it():
    migrate = container_status("migrate", restarts=2, waiting={"reason": "CrashLoopBackOff"}, last=CRASHED)
    waits = container_status("app", waiting={"reason": "PodInitializing"})
    assert chosen(pod("a", waits, init=[migrate])) == [Stream("a", "migrate", previous=False)]


def test_beside_failing_pods_those_that_run_well_are_not_read():
    crashing = container_status(restarts=3, waiting={"reason": "CrashLoopBackOff"}, last=CRASHED)
    assert {one.pod for one in chosen(pod("well"), pod("bad", crashing))} == {"bad"}
    pulling = container_status(waiting={"reason": "ImagePullBackOff"})
    assert chosen(pod("well"), pod("bad", pulling)) == []


def test_the_pod_that_the_alert_named_is_read_in_any_case():
    assert [one.pod for one in chosen(pod("a"), pod("b"), pod("c"), named="c")] == ["c", "a"]
    bad = [pod(name, running(ready=False)) for name in ("x", "y", "z")]
    assert [one.pod for one in chosen(pod("a"), *bad, named="a")] == ["a", "x", "y"]


def test_when_all_is_well_two_pods_are_read_without_their_proxies():
    pods = [pod(name, running("app"), running("istio-proxy")) for name in ("a", "b", "c")]
    assert chosen(*pods) == [Stream("a", "app", previous=False), Stream("b", "app", previous=False)]


def test_at_most_three_pods_and_six_logs():
    bad = [running(name, ready=False, restarts=1, last=CRASHED) for name in ("x", "y", "z")]
    found = chosen(*(pod(f"p{number}", *bad) for number in range(9)))
    assert len(found) == 6
    assert len({one.pod for one in chosen(*(pod(f"p{number}", running(ready=False)) for number in range(9)))}) == 3


def test_a_short_log_is_shown_whole():
    assert shaped("one\ntwo\n") == shaped("one\ntwo")
    log = shaped("one\n\ntwo\n\n")
    assert (log.text, log.lines, log.truncated) == ("one\n\ntwo", 3, False)


STEADY = [f"INFO web: GET /orders/{number} took {number} ms" for number in range(1000)]


def test_a_long_log_keeps_its_last_lines_and_says_how_many_went():
    log = shaped("\n".join(STEADY))
    assert log.text.endswith("\n".join(STEADY[-30:]))
    gone = sum(int(line[1:].split()[0]) for line in log.text.splitlines() if line.endswith(" lines left out)"))
    assert (gone + log.lines, log.truncated) == (1000, True)
    assert len(log.text) <= 6000


def test_the_line_that_explains_is_kept_however_long_ago_it_was_written():
    fault = "ERROR db: password of user reports expired"
    log = shaped("\n".join([*STEADY[:300], fault, *STEADY[300:]]))
    assert fault in log.text.splitlines()


def test_what_a_pod_that_runs_well_says_too_makes_room_for_what_is_new():
    usual = [f"ERROR cache: miss for {word}, loading from {word[::-1]}" for word in map(bin, range(400))]
    new = "WARN feature flag checkout-v2 switched on"
    lines = "\n".join([*usual[:200], new, *usual[200:], *STEADY[:300]])
    assert new in shape(Tail(lines, 0, True), PLAIN, well="\n".join([*usual, *STEADY])).text.splitlines()


def test_a_healthy_pod_is_compared_with_where_others_fail():
    bad = pod("bad", running(restarts=3, ready=False))
    found = facts([bad, pod("well"), pod("also-well")], NOW)["pods"]
    assert well(found, streams(found)) == {"app": Stream("also-well", "app", previous=False)}
    fine = facts([pod("a"), pod("b"), pod("c")], NOW)["pods"]
    assert well(fine, streams(fine)) == {}, "where nothing fails there is nothing to tell apart"


def test_a_line_that_was_cut_in_half_is_dropped():
    log = shaped("alf a line\nwhole\n", cut=10)
    assert "alf a line" not in log.text
    assert log.text.endswith("\nwhole")
    assert log.truncated


def test_equal_neighbours_are_shown_once():
    log = shaped("start\n" + "no connection\n" * 500 + "end\n")
    assert log.text == "start\nno connection  (the same line 500 times)\nend"
    assert log.lines == 502


def test_a_log_that_was_not_read_to_its_end_says_so():
    assert "its newest lines are missing" in shaped("a\n", complete=False).text


def test_an_empty_log():
    log = shaped("\n")
    assert (log.text, log.lines, log.truncated) == ("the log is empty", 0, False)


def test_colours_and_progress_bars():
    assert shaped("\x1b[32mok\x1b[0m\r\n10%\r100%\n").text == "ok\n10%\n100%"


def test_secrets_are_taken_out_before_lines_are_cut():
    secret = "".join(("hunter", "2", "-of-the-", "database")) * 40
    redactor = Redactor([secret])
    log = shape(Tail(("x" * 700) + secret + "\n", 0, True), redactor)
    assert "hunter2" not in log.text


@settings(max_examples=60)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=2000), max_size=60), st.integers(0, 3))
def test_any_log_is_bounded_and_its_last_line_is_kept(lines, cut):
    log = shaped("\n".join(lines), cut=cut)
    assert len(log.text) <= 6000
    assert log.lines <= sum(line.count("\n") + line.count("\r") + 1 for line in lines)
