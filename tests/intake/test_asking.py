"""A runbook is asked for in a form: from a card, by a command, and again where something was wrong."""

from bot.chat import ci_card, incident_card, run_form
from bot.chat.incident_card import IncidentView
from bot.chat.run_form import Submitted
from tests.chat.samples import EVIDENCE, INCIDENT, TRIAGE
from tests.chat.test_ci_card import VIEW
from tests.chat.workspace import INCIDENTS, LEE
from tests.intake.room import BOOKS, FILLED, Room, fill


async def test_a_runbook_is_asked_for_in_a_form_and_stored_once(room: Room) -> None:
    text = "/ops run restart-deployment INC-142"
    (view,) = (await room.slack.act("command", user=LEE, channel=INCIDENTS, text=text, wait=5))["modals"]
    seen = await fill(room, view, FILLED)
    assert (seen["acked"], seen["modals"], seen["errors"]) == (True, [], {})
    (wanted,) = room.inbox.asks.values()
    assert wanted.asked == Submitted("restart-deployment", "i142")
    assert (wanted.person.user_id, run_form.answers(wanted.view, BOOKS[0].parameters)) == (
        LEE,
        {"namespace": "shop", "deployment": "cart"},
    )


async def test_from_the_card_the_runbook_is_picked_first(room: Room) -> None:
    view = IncidentView(INCIDENT, evidence=EVIDENCE, triage=TRIAGE, runnable=True)
    ts = await room.post(incident_card.render(view))
    (first,) = (await room.click(ts, "inc.run", wait=5))["modals"]
    (second,) = (await fill(room, first, {"runbook": "restart-deployment"}))["modals"]
    assert [block["block_id"] for block in second["blocks"] if block["type"] == "input"] == [*FILLED, "behalf"]
    await fill(room, second, FILLED)
    assert len(room.inbox.asks) == 1


async def test_what_is_wrong_is_said_beside_its_field_and_the_form_stays(room: Room) -> None:
    text = "/ops run restart-deployment INC-142"
    (view,) = (await room.slack.act("command", user=LEE, channel=INCIDENTS, text=text, wait=5))["modals"]
    seen = await fill(room, view, FILLED | {"p.namespace": "NO"})
    assert seen["errors"] == {"p.namespace": "Must be small."}
    assert room.inbox.asks == {}
    assert (await fill(room, view, FILLED))["modals"] == []
    assert len(room.inbox.asks) == 1


async def test_what_cannot_be_asked_for_is_said_and_nothing_is_stored(room: Room) -> None:
    said = await room.slack.act("command", user=LEE, channel=INCIDENTS, text="/ops run restart-deployment INC-7")
    assert "There is no such incident any more." in str(said)
    text = "/ops run restart-deployment INC-142"
    (view,) = (await room.slack.act("command", user=LEE, channel=INCIDENTS, text=text, wait=5))["modals"]
    room.inbox.says = "5 requests of yours wait already."
    (refused,) = (await fill(room, view, FILLED))["modals"]
    assert "5 requests of yours wait already." in str(refused["blocks"])
    assert room.inbox.asks == {}


async def test_one_click_below_a_failed_run_asks_for_its_jobs_to_run_again(room: Room) -> None:
    ts = await room.post(ci_card.render(VIEW))
    assert (await room.click(ts, ci_card.RERUN_ACTION, wait=5))["acked"]
    (wanted,) = room.inbox.reruns.values()
    assert (wanted.run_id, wanted.person.user_id) == (VIEW.run.id, LEE)


async def test_whoever_cannot_ask_for_a_re_run_is_told_why(room: Room) -> None:
    ts = await room.post(ci_card.render(VIEW))
    room.inbox.says = "5 requests of yours wait already."
    await room.click(ts, ci_card.RERUN_ACTION, wait=5)
    assert any("5 requests of yours wait already." in said for said in await room.told())
    assert room.inbox.reruns == {}
