"""Who may read which logs through Slack: only what is listed, only full members, only channels of one's own."""

from dataclasses import replace

import pytest

from bot.domain.approval import Person, Standing
from bot.domain.log_request import refused_person, refused_place

LISTED = frozenset({("C0A", "prod", "shop")})
LEE = Standing(Person("T0SHOP", "U0LEE"), "Lee", known=True)


@pytest.mark.parametrize(
    "place",
    [
        ("C0B", "prod", "shop"),
        ("C0A", "staging", "shop"),
        ("C0A", "prod", "payroll"),
        ("C0A", "", "shop"),
        ("", "", ""),
    ],
)
def test_what_is_not_listed_is_refused(place: tuple[str, str, str]) -> None:
    assert refused_place("C0A", "prod", "shop", LISTED) == ""
    assert "may not be read in this channel" in refused_place(*place, LISTED)
    assert refused_place(*place, frozenset())


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"known": False}, "could not be asked who you are"),
        ({"is_bot": True}, "is a bot"),
        ({"is_guest": True}, "is a guest"),
        ({"is_deactivated": True}, "is deactivated"),
        ({"is_foreign": True}, "another workspace"),
    ],
)
def test_only_full_members_read_logs(fault: dict[str, bool], word: str) -> None:
    assert refused_person(LEE, shared=False) == ""
    assert word in refused_person(replace(LEE, **fault), shared=False)


def test_a_channel_that_is_shared_or_cannot_be_looked_at_is_refused() -> None:
    assert "shared with another organisation" in refused_person(LEE, shared=True)
    assert "could not be asked who is in this channel" in refused_person(LEE, shared=None)
