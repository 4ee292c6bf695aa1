from bot.analysis.failure_modes.logged_errors import KINDS, suspect
from tests.analysis.objects import log, seen


def test_each_kind_of_error_is_one_suspicion_amid_noise():
    noise = "".join(f"INFO request {n} served in {n} ms\n" for n in range(300))
    errors = "ERROR duplicate key violates unique constraint orders_pkey id={n}\nERROR template basket.html not found\n"
    found = list(suspect(seen(log(noise + errors.format(n=1) + noise + errors.format(n=2)))))
    assert ["unique constraint" in found[0].statement, "basket.html" in found[1].statement] == [True, True]
    assert "2 times" in found[0].statement
    assert len(found) == 2


def test_a_panic_goes_before_what_repeats():
    found = list(suspect(seen(log("ERROR a\nERROR a\nERROR a\npanic: runtime error: index out of range\n"))))
    assert "index out of range" in found[0].statement
    assert found[0].category == "crash"


def test_never_more_than_a_few():
    words = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett"]
    text = "".join(f"ERROR {one} {two}{one}\n" for one in words for two in words)
    assert len(list(suspect(seen(log(text))))) == KINDS


def test_a_quiet_log_says_nothing():
    assert not list(suspect(seen(log("INFO all is well, 0 errors\n"))))


def test_what_only_sounds_like_trouble_is_a_guess_and_gives_way_to_errors():
    (guess,) = suspect(seen(log("pods is forbidden: cannot list resource pods")))
    assert (guess.confidence, "cannot list resource pods" in guess.statement) == ("low", True)
    (error,) = suspect(seen(log("pods is forbidden: cannot list resource pods\nERROR no work to do")))
    assert "no work to do" in error.statement
