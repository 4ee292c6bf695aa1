from bot.analysis.ci.job_log import read
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


def test_of_a_log_that_was_read_in_part_it_is_said_which():
    raw = b"##[group]Run make\n##[error]boom\n"
    logs = [
        read(f"job {n}", "", raw, lambda text: text, lines_before=before, complete=complete)
        for n, (before, complete) in enumerate([(0, True), (12_000, True), (3000, False)])
    ]
    assert said(gone=[], beyond=[], read=3, logs=logs) == [
        (("job 1",), "Its log is long: its first 12,000 lines were not read."),
        (
            ("job 2",),
            "Its log did not arrive as a whole: what is said of it rests on its lines 3,001 to 3,002, not on its end.",
        ),
    ]
    assert [[one.number for one in log.own] for log in logs[:2]] == [[1, 2], [12_001, 12_002]]
