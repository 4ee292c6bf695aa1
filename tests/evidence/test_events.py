from hypothesis import given
from hypothesis import strategies as st

from bot.evidence.events import facts, render
from tests.evidence.objects import HOUR, MINUTE, NOW, at, event


def described(*events, **more):
    return render(facts(events), NOW, **more)


def test_a_repeated_warning_is_one_line():
    text = described(
        event("FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.", count=70, first=NOW - 2 * HOUR)
    )
    assert text == (
        "Warning FailedScheduling (×70 over 1h59m, last 1m ago) Pod app-1: 0/3 nodes are available: 3 Insufficient cpu."
    )


def test_equal_events_are_added_up():
    about = facts([event("BackOff", "again", count=3), event("BackOff", "again", count=4, last=NOW)])
    assert len(about["events"]) == 1
    assert (about["events"][0]["count"], about["events"][0]["last_at"]) == (7, NOW)


def test_siblings_share_a_line():
    text = described(
        *(
            event("BackOff", f"Back-off restarting failed container app in pod {name}_shop", name=name)
            for name in ("app-1", "app-2", "app-3")
        )
    )
    assert len(text.splitlines()) == 1
    assert "×3" in text
    assert "Pod app-1 and 2 more" in text


def test_warnings_come_first_then_the_newest():
    text = described(
        event("Scheduled", "assigned", type="Normal", last=NOW),
        event("Old", "old", last=NOW - 30 * MINUTE),
        event("New", "new", last=NOW - 2 * MINUTE),
    )
    assert [line.split()[1] for line in text.splitlines()] == ["New", "Old", "Scheduled"]


def test_says_how_long_before_the_alert_it_began():
    text = described(event("BackOff", "again", count=9, first=NOW - HOUR), alert_started_at=NOW - 20 * MINUTE)
    assert "since 40m before the alert" in text


def test_the_newer_form_of_events_is_understood():
    newer = {
        "type": "Warning",
        "reason": "FailedMount",
        "note": "MountVolume.SetUp failed",
        "eventTime": at(NOW - HOUR),
        "series": {"count": 5, "lastObservedTime": at(NOW - MINUTE)},
        "regarding": {"kind": "Pod", "name": "app-1"},
    }
    assert facts([newer])["events"] == [
        {
            "type": "Warning",
            "reason": "FailedMount",
            "message": "MountVolume.SetUp failed",
            "count": 5,
            "object": {"kind": "Pod", "name": "app-1"},
            "first_at": NOW - HOUR,
            "last_at": NOW - MINUTE,
        }
    ]


def test_claims_tell_why_a_volume_is_not_there():
    text = described(
        event("ProvisioningFailed", 'storageclass "fast" not found', kind="PersistentVolumeClaim", name="data")
    )
    assert 'PersistentVolumeClaim data: storageclass "fast" not found' in text


def test_no_events():
    assert "there are no events" in described()


def test_thousands_of_kinds_of_events_stay_bounded():
    events = [event(f"Reason{number}", "x" * 3000) for number in range(2000)]
    about = facts(events)
    assert len(about["events"]) == 80
    assert about["total"] == 2000
    assert len(render(about, NOW)) <= 6000


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.none() | st.just("Warning"),
                "count": st.integers(1, 9),
                "message": st.text(),
                "lastTimestamp": st.text() | st.none(),
            },
        )
    )
)
def test_counts_are_kept_whatever_is_missing(events):
    about = facts(events)
    assert (
        sum(one["count"] for one in about["events"]) == sum(one.get("count", 1) for one in events) or len(events) > 80
    )
    render(about, NOW)
