import pytest

from bot.analysis.failure_modes.start_error import suspect
from tests.analysis.objects import crashing, event, events, log, pod, pods, seen

RUNC = "failed to create containerd task: runc create failed: unable to start container process: exec: "


def test_a_typo_is_named_and_the_intended_command_offered():
    told = event("Failed", RUNC + '"pyhton": executable file not found in $PATH: unknown')
    (found,) = suspect(seen(events(told)))
    assert found.headline == "the command “pyhton” cannot be started: it was not found in $PATH"
    assert "It may be a typo of python." in found.statement
    assert (found.confidence, found.evidence) == ("high", ("E3",))


def test_a_command_nobody_knows_is_not_corrected():
    told = event("Failed", RUNC + '"/srv/frobnicator": stat /srv/frobnicator: no such file or directory: unknown')
    (found,) = suspect(seen(events(told)))
    assert "“/srv/frobnicator”" in found.statement
    assert "typo" not in found.statement
    assert "no such file" in found.headline


@pytest.mark.parametrize(("code", "why"), [(126, "not executable"), (127, "not found"), (128, "could not be started")])
def test_the_exit_code_says_it_without_a_message(code, why):
    (found,) = suspect(seen(pods(pod("p1", crashing(code, "Error")))))
    assert why in found.statement
    assert f"Exit code {code}." in found.statement


def test_state_and_event_tell_one_story():
    state = crashing(128, "StartError")
    told = event("Failed", RUNC + '"wgte": executable file not found in $PATH')
    (found,) = suspect(seen(pods(pod("checkout-new-1", state)), events(told)))
    assert found.evidence == ("E3", "E2")
    assert "Exit code 128." in found.statement


def test_a_shells_last_words_are_quoted():
    (found,) = suspect(seen(pods(pod("p1", crashing(127))), log("/bin/sh: 1: gunicron: not found", pod="p1")))
    assert "gunicron: not found" in found.statement


def test_an_ordinary_crash_is_none():
    assert not list(suspect(seen(pods(pod("p1", crashing(1))), events(event("BackOff", "Back-off restarting")))))
