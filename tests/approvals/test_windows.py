"""When actions may not run: examples, the nights on which clocks change, and properties of every instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.approvals.windows import hold
from bot.domain.policy import Window

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000


def deny(cron: str, hours: float, **more: Any) -> Window:
    return Window("deny", cron, int(hours * 3600), **more)


def allow(cron: str, hours: float, **more: Any) -> Window:
    return Window("allow", cron, int(hours * 3600), **more)


def held(windows: list[Window], moment: int, **where: Any) -> str:
    return hold(windows, moment, **{"cluster": "prod", "namespaces": ["shop"], "runbook": "restart"} | where)


WEEKEND = deny("0 18 * * FRI", 62, time_zone=BERLIN, why="Weekend freeze.")


def test_a_freeze_holds_from_its_start_to_its_end_and_says_until_when() -> None:
    assert held([WEEKEND], at("2026-11-20T17:59:59", BERLIN)) == ""
    first = held([WEEKEND], at("2026-11-20T18:00", BERLIN))
    assert first == "A change freeze holds: Weekend freeze. This may run from 07:00 UTC on 2026-11-23."
    assert held([WEEKEND], at("2026-11-23T07:59:59", BERLIN)) == first
    assert held([WEEKEND], at("2026-11-23T08:00", BERLIN)) == ""


def test_outside_every_allowed_time_nothing_runs() -> None:
    office = allow("0 9 * * MON-FRI", 8)
    assert held([office], at("2026-11-20T09:00")) == ""
    late = held([office], at("2026-11-20T17:00"))
    assert late == "This is outside the times it may run in. This may run from 09:00 UTC on 2026-11-23."


def test_a_freeze_of_some_clusters_holds_what_is_in_none() -> None:
    prod = {"clusters": ("prod",)}
    freeze, night = deny("0 0 * * *", 24, **prod), allow("0 0 * * *", 1, **prod)
    for cluster, frozen, outside in (("prod", True, True), ("", True, False), ("staging", False, False)):
        assert (held([freeze], at("2026-11-21T12:00"), cluster=cluster, namespaces=[]) != "") == frozen
        assert (held([night], at("2026-11-21T12:00"), cluster=cluster, namespaces=[]) != "") == outside


@pytest.mark.parametrize("namespaces", [["prod-1"], [""], ["shop", ""], []], ids=str)
def test_a_freeze_of_some_namespaces_holds_what_is_in_none(namespaces: list[str]) -> None:
    """A node, or a silence, may be about what runs there; a time that is allowed for them allows it no more than it."""
    prod = {"namespaces": ("prod-*",)}
    freeze, night = deny("0 0 * * *", 24, **prod), allow("0 3 * * *", 1, **prod)
    assert held([freeze], at("2026-11-21T12:00"), namespaces=namespaces) != ""
    assert held([freeze], at("2026-11-21T12:00"), namespaces=["shop"]) == ""
    assert (held([night], at("2026-11-21T12:00"), namespaces=namespaces) != "") == (namespaces == ["prod-1"])
    for other in ({"clusters": ("staging",)}, {"runbooks": ("scale-*",)}):
        assert held([deny("0 0 * * *", 24, **prod, **other)], at("2026-11-21T12:00"), namespaces=namespaces) == ""


def test_deny_beats_allow_and_what_no_window_matches_may_run() -> None:
    always = allow("0 0 * * *", 24)
    assert held([always, WEEKEND], at("2026-11-21T12:00")) != ""
    elsewhere = deny("0 0 * * *", 24, clusters=("staging",))
    assert held([elsewhere], at("2026-11-21T12:00")) == ""
    assert held([], at("2026-11-21T12:00")) == ""


@pytest.mark.parametrize(
    ("selector", "where", "holds"),
    [
        ({"clusters": ("prod", "edge")}, {}, True),
        ({"clusters": ("prod",)}, {"cluster": "production"}, False),
        ({"namespaces": ("shop-*",)}, {"namespaces": ["shop-eu"]}, True),
        ({"namespaces": ("shop-*",)}, {"namespaces": ["shop"]}, False),
        ({"namespaces": ("pay",)}, {"namespaces": ["shop", "pay"]}, True),
        ({"runbooks": ("delete-*",)}, {"runbook": "delete-pod"}, True),
        ({"runbooks": ("delete-*",), "clusters": ("prod",)}, {"runbook": "restart"}, False),
    ],
)
def test_a_window_concerns_what_all_its_selectors_match(selector: Any, where: Any, holds: bool) -> None:
    assert bool(held([deny("0 0 * * *", 24, **selector)], at("2026-11-21T12:00"), **where)) == holds


def test_a_freeze_that_never_ends_says_so() -> None:
    assert held([deny("* * * * *", 1)], at("2026-11-21T12:00")).endswith("It is not known when this may run.")


class TestSpring:
    """29 March 2026 in Berlin: 02:00 becomes 03:00 (01:00 UTC)."""

    def test_a_start_in_the_gap_freezes_from_either_reading(self) -> None:
        night = [deny("30 2 * * *", 1, time_zone=BERLIN)]
        assert held(night, at("2026-03-29T00:29:59")) == ""
        assert held(night, at("2026-03-29T00:30:00")) != ""
        assert held(night, at("2026-03-29T02:29:59")) != ""
        assert held(night, at("2026-03-29T02:30:00")) == ""

    def test_an_allowance_in_the_gap_opens_once_as_if_the_clocks_had_not_moved(self) -> None:
        night = [allow("30 2 * * *", 1, time_zone=BERLIN)]
        assert held(night, at("2026-03-29T01:29:59")) != ""
        assert held(night, at("2026-03-29T01:30:00")) == ""
        assert held(night, at("2026-03-29T02:30:00")) != ""

    def test_a_window_over_the_gap_lasts_its_elapsed_time(self) -> None:
        night = [deny("0 0 * * SUN", 6, time_zone=BERLIN)]
        assert held(night, at("2026-03-29T06:59", BERLIN)) != ""
        assert held(night, at("2026-03-29T07:00", BERLIN)) == ""


class TestAutumn:
    """25 October 2026 in Berlin: 03:00 becomes 02:00 (01:00 UTC), so 02:30 comes twice, at 00:30 and 01:30 UTC."""

    def test_a_start_in_the_fold_freezes_both_times(self) -> None:
        night = [deny("30 2 * * *", 0.5, time_zone=BERLIN)]
        frozen = [minute for minute in range(180) if held(night, at("2026-10-25T00:00") + minute * 60_000_000)]
        assert frozen == [*range(30, 60), *range(90, 120)]

    def test_an_allowance_in_the_fold_opens_the_first_time_only(self) -> None:
        night = [allow("30 2 * * *", 0.5, time_zone=BERLIN)]
        free = [minute for minute in range(180) if not held(night, at("2026-10-25T00:00") + minute * 60_000_000)]
        assert free == list(range(30, 60))


_zones = st.sampled_from(
    ["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"]
)
_crons = st.builds(
    "{} {} * * {}".format,
    st.sampled_from(["0", "30", "*/20", "5,50"]),
    st.sampled_from(["*", "1", "2", "3", "0-5", "22"]),
    st.sampled_from(["*", "SUN", "MON-FRI"]),
)
_moments = st.integers(at("2026-01-01T00:00") // 60_000_000, at("2027-12-31T00:00") // 60_000_000)


@given(cron=_crons, zone=_zones, minutes=st.integers(1, 3000), moment=_moments)
@settings(max_examples=150)
def test_it_agrees_with_looking_at_every_minute_before(cron: str, zone: str, minutes: int, moment: int) -> None:
    """An allowance is open exactly if a wall-clock start, at its first reading, lies within its duration before."""
    from cronsim import CronSim

    now = datetime.fromtimestamp(moment * 60, tz=UTC)
    local = ZoneInfo(zone)
    starts = set()
    wall = (now - timedelta(minutes=minutes, hours=4)).astimezone(local).replace(tzinfo=None)
    for each in CronSim(cron, wall):
        if each > now.astimezone(local).replace(tzinfo=None) + timedelta(hours=4):
            break
        starts.add(each.replace(tzinfo=local).astimezone(UTC))
    is_open = any(start <= now < start + timedelta(minutes=minutes) for start in starts)
    window = Window("allow", cron, minutes * 60, zone)
    assert (not held([window], moment * 60_000_000)) == is_open


@given(cron=_crons, zone=_zones, hours=st.integers(1, 30), moment=_moments)
@settings(max_examples=150)
def test_a_freeze_is_over_when_it_says(cron: str, zone: str, hours: int, moment: int) -> None:
    sentence = held([deny(cron, hours, time_zone=zone)], moment * 60_000_000)
    if "may run from" in sentence:
        said = datetime.strptime(sentence.rpartition(" from ")[2], "%H:%M UTC on %Y-%m-%d.").replace(tzinfo=UTC)
        assert held([deny(cron, hours, time_zone=zone)], int(said.timestamp()) * 1_000_000) == ""
        assert held([deny(cron, hours, time_zone=zone)], int(said.timestamp() - 60) * 1_000_000) != ""
