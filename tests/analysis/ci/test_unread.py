from bot.analysis.ci.unread import unread


def said(**given):
    return [(failure.jobs, failure.what) for failure in unread("CI", **given)]


def test_each_failed_job_that_was_not_read_is_named_with_the_reason():
    assert said(gone=["lint"], beyond=["e2e (1)", "e2e (2)"], read=6) == [
        (("lint",), "GitHub has no log of it any more."),
        (("e2e (1)", "e2e (2)"), "Its log was not read: 6 failed jobs of a run are."),
    ]


def test_where_all_was_read_nothing_is_said():
    assert said(gone=[], beyond=[], read=2) == []


def test_a_workflow_that_had_no_job_failed_all_the_same():
    ((jobs, what),) = said(gone=[], beyond=[], read=0)
    assert jobs == ("CI",)
    assert what.startswith("It failed before any job ran, so there is no log")


def test_nothing_is_concluded_from_a_log_that_nobody_read():
    (failure,) = unread("CI", gone=["a\nb"], beyond=[], read=0)
    assert (failure.jobs, failure.signature, failure.flaky, failure.cited) == (("a b",), "", "unknown", ())
