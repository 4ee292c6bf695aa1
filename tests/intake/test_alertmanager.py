"""Alertmanager's webhook body: every kind that it sends is taken, and whatever else comes is refused in plain words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alert import Delivery
from bot.intake.alertmanager import Bounds, Refused, parse
from tests.intake.webhooks import ZERO, alert, body, encoded

BOUNDS = Bounds()
STARTED = 1_795_246_825_123_456


def take(data: Any, *, bounds: Bounds = BOUNDS) -> Delivery:
    return parse(data if isinstance(data, bytes) else encoded(data), source="default", bounds=bounds)


def refusal(data: Any, *, bounds: Bounds = BOUNDS) -> str:
    with pytest.raises(Refused) as refused:
        take(data, bounds=bounds)
    return str(refused.value)


# --- what Alertmanager sends ------------------------------------------------------------------------------------------


def test_a_firing_alert() -> None:
    came = take(body(alert()))
    (fires,) = came.alerts
    assert (fires.status, fires.starts_at, fires.ends_at) == ("firing", STARTED, None)
    assert fires.labels["namespace"] == "shop"
    assert fires.annotations == {"summary": "CheckoutDown: nothing answers."}
    assert fires.generator_url.startswith("http://prometheus")
    assert (came.receiver, came.external_url, came.truncated_alerts) == ("signoff", "http://alertmanager:9093", 0)
    assert came.group_key == '{}/{severity="critical"}:{alertname="CheckoutDown"}'


def test_a_resolved_alert_has_its_end() -> None:
    (over,) = take(body(alert(status="resolved"))).alerts
    assert (over.status, over.ends_at) == ("resolved", 1_795_247_521_500_000)


def test_the_end_that_a_firing_alert_has_already_says_nothing() -> None:
    (fires,) = take(body(alert(endsAt="2026-11-21T07:44:25Z"))).alerts
    assert fires.ends_at is None


def test_a_group_that_fires_may_hold_resolved_alerts() -> None:
    mixed = take(body(alert("A"), alert("B", status="resolved"), status="firing"))
    assert [each.status for each in mixed.alerts] == ["firing", "resolved"]


def test_labels_common_to_all_may_change_or_be_missing() -> None:
    assert take(body(alert(), commonLabels={}, commonAnnotations=None)).common_labels == {}


def test_alerts_that_were_cut_are_counted() -> None:
    assert take(body(alert(), truncatedAlerts=117)).truncated_alerts == 117
    older = body(alert())
    del older["truncatedAlerts"]
    assert take(older).truncated_alerts == 0


def test_keys_of_newer_versions_pass() -> None:
    newer = body(
        {**alert(), "routeLabels": {"a": "b"}, "x": [1.5e9, {"y": None}]},
        notification_reason="new alerts added",
        routeLabels={"team": "shop"},
    )
    assert take(newer) == take(body(alert()))


def test_blank_annotations_and_an_empty_generator_are_kept_as_they_are() -> None:
    (blank,) = take(body(alert(annotations={"summary": "Pod / is crash looping"}, generatorURL=""))).alerts
    assert (blank.annotations, blank.generator_url) == ({"summary": "Pod / is crash looping"}, "")


def test_a_retry_is_the_same_delivery() -> None:
    sent = encoded(body(alert()))
    assert take(sent) == take(sent)


def test_a_storm() -> None:
    assert len(take(body(*(alert(f"A{n}") for n in range(120)))).alerts) == 120


@pytest.mark.parametrize(
    ("told", "microseconds"),
    [
        ("2026-11-21T07:40:25Z", STARTED - 123_456),
        ("2026-11-21T07:40:25.1Z", STARTED - 23_456),
        ("2026-11-21T08:40:25.123456+01:00", STARTED),
        ("1969-12-31T23:59:59Z", -1_000_000),
        (ZERO, -62_135_596_800_000_000),
    ],
)
def test_times_are_microseconds_of_utc(told: str, microseconds: int) -> None:
    assert take(body(alert(startsAt=told))).alerts[0].starts_at == microseconds


def test_text_that_no_database_stores_is_made_storable() -> None:
    came = take(body(alert(labels={"a\0": "\ud83d", "ok": "\ud83d\ude00"}), groupKey="k\0"))
    assert came.group_key == "k\ufffd"
    assert came.alerts[0].labels == {"a\ufffd": "?", "ok": "😀"}


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not JSON at line 1"),
        (b"{", "not JSON at line 1, column 2"),
        (b"[]", "the body: expected an object"),
        (b"null", "the body: expected an object"),
        (b'"text"', "the body: expected an object"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"version": NaN}', "not JSON"),
        (b'{"x": -Infinity}', "not JSON"),
        (b'{"x": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"[" * 100_000, "nested deeper than 32"),
        (b'{"a":' * 100_000, "nested deeper than 32"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "nested deeper than 32"),
    ],
)
def test_what_is_no_json_object(raw: bytes, said: str) -> None:
    assert said in refusal(raw)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"version": "3"}, 'version: expected "4"'),
        ({"version": 4}, 'version: expected "4"'),
        ({"groupKey": ""}, "groupKey: expected 1 to"),
        ({"groupKey": 7}, "groupKey: expected a string"),
        ({"groupKey": "k" * 70_000}, "groupKey: expected 1 to"),
        ({"receiver": None}, "receiver: expected a string"),
        ({"alerts": None}, "alerts: expected a list"),
        ({"alerts": {}}, "alerts: expected a list"),
        ({"alerts": ["x"]}, "alerts[0]: expected an object"),
        ({"groupLabels": []}, "groupLabels: expected an object of strings"),
        ({"commonLabels": {"a": 1}}, "commonLabels: expected every value to be a string"),
        ({"commonAnnotations": {"a": None}}, "commonAnnotations: expected every value"),
        ({"externalURL": []}, "externalURL: expected a string"),
        ({"truncatedAlerts": -1}, "truncatedAlerts: expected a whole number"),
        ({"truncatedAlerts": True}, "truncatedAlerts: expected a whole number"),
        ({"truncatedAlerts": 2**40}, "truncatedAlerts: expected a whole number"),
        ({"truncatedAlerts": 1.5}, "truncatedAlerts: expected a whole number"),
    ],
)
def test_a_wrong_key_is_named_with_what_it_accepts(changed: dict[str, Any], said: str) -> None:
    assert said in refusal(body(alert(), **changed))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"status": "pending"}, '.status: expected "firing" or "resolved"'),
        ({"status": None}, ".status"),
        ({"fingerprint": ""}, ".fingerprint: expected 1 to 64"),
        ({"fingerprint": "f" * 65}, ".fingerprint: expected 1 to 64"),
        ({"fingerprint": 1}, ".fingerprint: expected a string"),
        ({"startsAt": None}, ".startsAt: expected a time like"),
        ({"startsAt": "yesterday"}, ".startsAt: expected a time like"),
        ({"startsAt": "2026-11-21T07:40:25"}, ".startsAt: expected a time like"),
        ({"startsAt": "2026-11-21"}, ".startsAt: expected a time like"),
        ({"startsAt": 1_795_246_825}, ".startsAt: expected a time like"),
        ({"endsAt": "never", "status": "resolved"}, ".endsAt: expected a time like"),
        ({"labels": "none"}, ".labels: expected an object of strings"),
        ({"labels": {"a": {}}}, ".labels: expected every value"),
        ({"generatorURL": 1}, ".generatorURL: expected a string"),
    ],
)
def test_a_wrong_alert_is_named_by_its_place(changed: dict[str, Any], said: str) -> None:
    sentence = refusal(body(alert("A"), {**alert("B"), **changed}))
    assert sentence.startswith("alerts[1]")
    assert said in sentence


def test_bounds_hold_at_n_and_not_at_n_and_one() -> None:
    bounds = Bounds(alerts=3)
    take(body(*(alert(str(n)) for n in range(3))), bounds=bounds)
    assert "4 are more than the 3" in refusal(body(*(alert(str(n)) for n in range(4))), bounds=bounds)
    deep: Any = 1
    for _ in range(27):
        deep = [deep]
    nested = body(alert(), extra=deep)
    take(nested, bounds=Bounds(depth=28))
    assert "deeper than 27" in refusal(nested, bounds=Bounds(depth=27))


def test_more_objects_than_any_webhook_holds_are_refused_before_they_are_made() -> None:
    assert "more objects" in refusal(b"[" + b"[]," * 1_000_001 + b"[]]")
    assert "more objects" in refusal(b"[" + b"1," * 4_000_001 + b"1]")


def test_commas_and_brackets_in_texts_are_text() -> None:
    """A stack trace or a query in an annotation is no reason to leave a group without an answer."""
    lists = {"summary": "a,[{" * 700 + '\\"' * 3 + "\\"}
    many = [alert(str(nth), annotations=lists) for nth in range(2_100)]
    assert len(take(body(*many)).alerts) == 2_100


def test_long_annotations_are_cut_and_surplus_ones_left_out_but_none_of_a_headline() -> None:
    long = {"stack": "x" * 70_000, "y" * 70_000: "z"}
    many = {f"a{nth:03}": "" for nth in range(300)} | {"summary": "It is down."}
    first, second, third = take(body(alert("A", annotations=long), alert("B", annotations=many), alert("C"))).alerts
    assert (len(first.annotations["stack"]), first.annotations["stack"][-18:]) == (65_536, "x… [cut: too long]")
    assert [len(name) for name in first.annotations] == [5, 65_536]
    assert (len(second.annotations), second.annotations["summary"]) == (256, "It is down.")
    assert third.annotations == alert("C")["annotations"]
    assert len(take(body(alert(), commonAnnotations=many)).common_annotations) == 256


def test_labels_are_kept_whole_since_they_say_what_an_alert_is_about() -> None:
    labels = {f"l{nth}": "v" for nth in range(300)} | {"query": "x" * 70_000}
    (only,) = take(body(alert(labels=labels))).alerts
    assert only.labels == labels


def test_the_last_of_two_equal_keys_counts() -> None:
    raw = encoded(body(alert())).replace(b'"version": "4"', b'"version": "3", "version": "4"')
    assert take(raw) == take(body(alert()))


# --- anything ---------------------------------------------------------------------------------------------------------

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
WHOLE = body(alert("A"), alert("B", status="resolved"))
PLACES = [(key,) for key in WHOLE] + [("alerts", 0, key) for key in alert()]


def replaced(place: tuple[Any, ...], value: Any) -> Any:
    data = json.loads(json.dumps(WHOLE))
    inner = data
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return data


def outcome(data: Any) -> Delivery | str:
    try:
        return take(data)
    except Refused as refused:
        return str(refused)


@given(st.sampled_from(PLACES), anything)
def test_any_value_at_any_key_is_taken_or_refused_with_a_sentence(place: tuple[Any, ...], value: Any) -> None:
    came = outcome(replaced(place, value))
    if isinstance(came, str):
        assert 10 < len(came) < 300
        return
    for each in came.alerts:
        assert all("\0" not in text for pair in each.labels.items() for text in pair)
        assert -(2**63) < each.starts_at < 2**63


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_sentence(raw: bytes) -> None:
    assert len(refusal(raw)) < 300


@given(st.text(st.characters(min_codepoint=33, exclude_characters='"\\'), min_size=12, max_size=30))
def test_no_refusal_quotes_what_came(secret: str) -> None:
    for place in PLACES:
        assert secret not in str(outcome(replaced(place, {"x": [secret]})))
