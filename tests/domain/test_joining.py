"""How alerts become incidents, as examples and as properties of every group."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alert import Alert
from bot.domain.incident import Incident, IncidentStatus, Subject
from bot.domain.joining import Joined, describe, join

MINUTE = 60_000_000
NOW = 1_795_255_320_000_000
WINDOW = 30 * MINUTE


def alert(
    name: str = "Down", *, status: str = "firing", start: int = NOW, fingerprint: str = "", **labels: str
) -> Alert:
    return Alert(
        fingerprint=fingerprint or name,
        starts_at=start,
        status=status,
        ends_at=None,
        labels={"alertname": name, **labels},
        annotations={},
    )


def incident(status: IncidentStatus = "open", **more: object) -> Incident:
    made = Incident(
        id="i1",
        number=1,
        group_id="g1",
        source="default",
        status=status,
        severity="",
        title="Down",
        summary="",
        subject=Subject(None, "", "", "", ""),
        labels={},
        firing=1 if status == "open" else 0,
        total=1,
        truncated=0,
        opened_at=NOW - 60 * MINUTE,
        last_seen_at=NOW,
        resolved_at=NOW if status == "resolved" else None,
        reopened=0,
        previous=None,
    )
    return replace(made, **more)


def decide(
    current: Incident | None,
    unassigned: list[Alert] | None = None,
    assigned: list[Alert] | None = None,
    *,
    truncated: int = 0,
    now: int = NOW,
) -> Joined | None:
    return join(current, unassigned or [], assigned or [], truncated=truncated, now=now, reopen_within=WINDOW)


def change(joined: Joined | None) -> tuple[str, str] | None:
    return (joined.change, joined.status) if joined else None


# --- a group without an incident ------------------------------------------------------------------------------------


def test_the_first_alert_opens_an_incident() -> None:
    assert change(decide(None, [alert()])) == ("opened", "open")


def test_an_alert_that_fired_and_was_over_before_anybody_looked_opens_one_that_is_resolved() -> None:
    assert change(decide(None, [alert(status="resolved")])) == ("opened", "resolved")


def test_an_alert_that_was_over_when_it_was_first_heard_of_makes_none() -> None:
    unheard = replace(alert(status="resolved"), fired=False)
    assert decide(None, [unheard]) is None
    assert decide(incident("resolved", resolved_at=NOW - WINDOW - 1), [unheard]) is None, "nor one that links back"
    assert change(decide(None, [alert("Slow"), unheard])) == ("opened", "open")


def test_a_group_without_alerts_makes_nothing() -> None:
    assert decide(None) is None


# --- an open incident -----------------------------------------------------------------------------------------------


def test_a_further_alert_joins() -> None:
    joined = decide(incident(), [alert("Slow")], [alert()])
    assert change(joined) == ("joined", "open")
    assert joined is not None
    assert joined.face.firing == 2


def test_however_often_it_repeats_unchanged_state_asks_nothing() -> None:
    assert change(decide(incident(), [], [alert()])) == ("unchanged", "open")


def test_one_of_two_resolved_is_a_change_and_both_end_it() -> None:
    over = alert("Slow", status="resolved")
    assert change(decide(incident(firing=2, total=2), [], [alert(), over])) == ("joined", "open")
    assert change(decide(incident(firing=2, total=2), [], [replace(alert(), status="resolved"), over])) == (
        "resolved",
        "resolved",
    )


def test_alerts_that_alertmanager_cut_from_its_list_are_a_change() -> None:
    assert change(decide(incident(), [], [alert()], truncated=4)) == ("joined", "open")
    assert change(decide(incident(truncated=4), [], [alert()], truncated=4)) == ("unchanged", "open")


def test_a_headline_that_says_something_at_last_is_a_change_and_another_text_is_none() -> None:
    """Alertmanager sends what it last heard, and an annotation may hold a number that is another one each time."""
    told = replace(alert(), annotations={"summary": "Disk is 91 % full."})
    assert change(decide(incident(), [], [told])) == ("joined", "open")
    assert change(decide(incident(summary="Disk is 90 % full."), [], [told])) == ("unchanged", "open")
    assert change(decide(incident(summary="Disk is 90 % full."), [], [alert()])) == ("unchanged", "open")


# --- a resolved incident --------------------------------------------------------------------------------------------


def test_a_refire_within_the_window_reopens_it() -> None:
    old = alert(status="resolved")
    again = alert(start=NOW + 1)
    for age in (0, WINDOW):
        assert change(decide(incident("resolved", resolved_at=NOW - age), [again], [old])) == ("reopened", "open")


def test_a_refire_after_the_window_is_a_new_incident() -> None:
    joined = decide(incident("resolved", resolved_at=NOW - WINDOW - 1), [alert(start=NOW)], [alert(status="resolved")])
    assert change(joined) == ("opened", "open")
    assert joined is not None
    assert joined.face.total == 1, "the alerts of the incident before are not its own"


def test_a_resolution_that_comes_late_is_added_without_a_word() -> None:
    joined = decide(incident("resolved"), [alert("Slow", status="resolved")], [alert(status="resolved")])
    assert change(joined) == ("joined", "resolved")


def test_repeats_of_the_resolved_group_ask_nothing() -> None:
    assert change(decide(incident("resolved"), [], [alert(status="resolved")])) == ("unchanged", "resolved")


def test_alerts_that_were_cut_and_are_no_more_are_a_change_of_what_is_resolved() -> None:
    over = [alert(status="resolved")]
    assert change(decide(incident(), [], over, truncated=2)) == ("resolved", "resolved")
    assert change(decide(incident("resolved", truncated=2), [], over, truncated=2)) == ("unchanged", "resolved")
    assert change(decide(incident("resolved", truncated=2), [], over)) == ("joined", "resolved")


# --- a stale incident -----------------------------------------------------------------------------------------------


def test_alerts_that_are_heard_of_again_make_it_open() -> None:
    assert change(decide(incident("stale"), [], [alert()])) == ("returned", "open")
    assert change(decide(incident("stale"), [alert("Slow")], [alert()])) == ("returned", "open")


def test_the_end_of_its_alerts_resolves_it() -> None:
    assert change(decide(incident("stale"), [], [alert(status="resolved")])) == ("resolved", "resolved")


def test_when_nothing_of_it_fires_any_more_a_new_alert_is_a_new_incident() -> None:
    over = alert(status="resolved")
    stale = incident("stale", last_seen_at=NOW - WINDOW - 1)
    assert change(decide(stale, [alert(start=NOW)], [over])) == ("opened", "open")


# --- the face -------------------------------------------------------------------------------------------------------


def test_the_worst_severity_speaks_and_unknown_ones_come_last() -> None:
    assert describe([alert("A", severity="warning"), alert("B", severity=" Critical ")]).severity == "critical"
    assert describe([alert("A", severity="purple"), alert("B", severity="info")]).severity == "info"
    assert describe([alert("A")]).severity == ""


def test_only_firing_alerts_speak_while_there_are_any() -> None:
    face = describe([alert("Old", status="resolved", severity="critical"), alert("New", severity="info")])
    assert (face.title, face.severity, face.firing, face.total) == ("New", "info", 1, 2)
    assert describe([alert("Old", status="resolved")]).title == "Old"


def test_three_names_are_shown_the_most_frequent_first() -> None:
    named = [
        alert(name, fingerprint=f"{name}{n}")
        for name, times in (("A", 1), ("B", 3), ("C", 1), ("D", 1))
        for n in range(times)
    ]
    assert describe(named).title == "B, A, C and 1 more"
    assert describe([replace(alert(), labels={})]).title == "unnamed alert"


def test_only_labels_that_all_share_are_its_labels() -> None:
    face = describe([alert("A", namespace="shop", pod="a"), alert("A", fingerprint="2", namespace="shop", pod="b")])
    assert face.labels == {"alertname": "A", "namespace": "shop"}


def test_blank_annotations_are_passed_over() -> None:
    blank = replace(alert(), annotations={"summary": "  ", "description": ""})
    told = replace(alert("B", start=NOW + 1), annotations={"message": " Disk is full. "})
    assert describe([blank, told]).summary == "Disk is full."
    assert describe([blank]).summary == ""


def test_an_alert_that_flapped_counts_once() -> None:
    flapped = [alert(start=NOW + n, status="resolved" if n < 4 else "firing") for n in range(5)]
    face = describe(flapped)
    assert (face.firing, face.total) == (1, 1)


alerts = st.lists(
    st.builds(
        lambda name, status, start, severity, heard: replace(
            alert(name, status=status, start=start, severity=severity), fired=heard or status == "firing"
        ),
        st.sampled_from("ABC"),
        st.sampled_from(["firing", "resolved"]),
        st.integers(0, 3),
        st.sampled_from(["critical", "warning", ""]),
        st.booleans(),
    ),
    max_size=6,
)
currents = st.none() | st.builds(
    lambda status, age: incident(status, resolved_at=NOW - age, last_seen_at=NOW - age),
    st.sampled_from(["open", "resolved", "stale"]),
    st.sampled_from([0, WINDOW, WINDOW + 1]),
)


@given(currents, alerts, alerts)
def test_an_incident_is_open_exactly_while_something_fires(current, unassigned, assigned) -> None:
    joined = decide(current, unassigned, assigned)
    if joined is None:
        assert not any(each.fired for each in unassigned)
        return
    assert joined.status == ("open" if joined.face.firing else "resolved")


@given(currents, alerts, alerts)
def test_deciding_again_on_what_was_decided_changes_nothing(current, unassigned, assigned) -> None:
    joined = decide(current, unassigned, assigned)
    if joined is None:
        return
    kept = [*unassigned] if joined.change == "opened" else [*assigned, *unassigned]
    then = incident(joined.status, firing=joined.face.firing, total=joined.face.total)
    assert change(decide(then, [], kept)) == ("unchanged", joined.status)


@given(currents, alerts)
def test_what_fires_anew_is_never_left_unsaid(current, unassigned) -> None:
    joined = decide(current, unassigned, [])
    if any(each.status == "firing" for each in unassigned):
        assert joined is not None
        assert joined.status == "open"
        assert joined.change != "unchanged"


@given(alerts, st.randoms())
def test_the_order_of_alerts_says_nothing(some, random) -> None:
    by_key = list({(each.fingerprint, each.starts_at): each for each in some}.values())
    shuffled = random.sample(by_key, len(by_key))
    assert describe(shuffled) == describe(by_key)
