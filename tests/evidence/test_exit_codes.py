import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.evidence.exit_codes import meaning


@pytest.mark.parametrize(
    ("code", "reason", "words"),
    [
        (137, "OOMKilled", "over its memory limit"),
        (137, "Error", "SIGKILL"),
        (143, "Error", "SIGTERM"),
        (139, "Error", "SIGSEGV"),
        (134, "Error", "SIGABRT"),
        (126, "Error", "cannot be executed"),
        (127, "ContainerCannotRun", "not found"),
        (128, "StartError", "could not be started"),
        (0, "Completed", "without an error"),
        (150, "Error", "signal 22"),
    ],
)
def test_codes_with_a_meaning(code, reason, words):
    assert words in meaning(code, reason)


@pytest.mark.parametrize("code", [None, 1, 2, 42, 255])
def test_codes_that_are_the_programs_own(code):
    assert meaning(code, "Error") == ""


def test_memory_is_only_certain_when_kubernetes_says_so():
    assert "liveness probe" in meaning(137, "Error")


@given(st.integers(), st.text(max_size=10))
def test_any_code_is_answered(code, reason):
    assert isinstance(meaning(code, reason), str)
