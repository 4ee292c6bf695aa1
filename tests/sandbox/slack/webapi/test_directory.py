"""People and groups: the flags that an approval depends on."""

from typing import Any


async def info(slack: Any, user: str) -> dict[str, Any]:
    return dict((await slack.client.users_info(user=user))["user"])


async def test_the_flags_tell_guests_strangers_bots_and_leavers(slack: Any) -> None:
    lee, guest, stranger = await info(slack, "U0LEE"), await info(slack, "U0GUEST"), await info(slack, "U0EXT")
    assert (lee["team_id"], lee["is_restricted"], lee["is_bot"], lee["deleted"]) == ("T0SHOP", False, False, False)
    assert guest["is_restricted"] is True
    assert (stranger["team_id"], stranger["is_stranger"]) == ("T0OTHER", True)
    assert (await info(slack, "U0GONE"))["deleted"] is True
    assert (await info(slack, "U0SIGNOFF"))["is_bot"] is True
    assert (await slack.refusal(slack.client.users_info(user="U0NOBODY")))["error"] == "user_not_found"


async def test_addresses_need_their_scope(slack: Any, start_slack: Any) -> None:
    assert (await info(slack, "U0LEE"))["profile"]["email"] == "lee@shop.example"
    found = (await slack.client.users_lookupByEmail(email="priya@shop.example"))["user"]
    assert found["id"] == "U0PRIYA"
    gone = await slack.refusal(slack.client.users_lookupByEmail(email="rex@shop.example"))
    assert gone["error"] == "users_not_found"
    without = await start_slack(scopes=["users:read"])
    assert "email" not in (await info(without, "U0LEE"))["profile"]


async def test_everybody_is_listed(slack: Any) -> None:
    assert len((await slack.client.users_list())["members"]) == 7


async def test_groups_and_their_members(slack: Any) -> None:
    listed = (await slack.client.usergroups_list(include_users=True))["usergroups"]
    groups = {group["handle"]: group for group in listed}
    assert (groups["oncall"]["id"], groups["oncall"]["users"]) == ("S0ONCALL", ["U0LEE", "U0PRIYA"])
    assert (await slack.client.usergroups_users_list(usergroup="S0ONCALL"))["users"] == ["U0LEE", "U0PRIYA"]
    refused = await slack.refusal(slack.client.usergroups_users_list(usergroup="S0NONE"))
    assert refused["error"] == "no_such_subteam"


async def test_a_free_plan_has_no_groups(slack: Any) -> None:
    await slack.switch(plan_upgrade_required=True)
    for call in (slack.client.usergroups_list(), slack.client.usergroups_users_list(usergroup="S0ONCALL")):
        assert (await slack.refusal(call))["error"] == "plan_upgrade_required"
