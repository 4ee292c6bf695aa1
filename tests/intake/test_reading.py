"""A view opens at once and is filled as soon as it is read; what cannot be shown is said in it."""

from dataclasses import replace

from bot.chat import incident_card, logs_card
from bot.chat.incident_card import IncidentView
from bot.intake.acts import LinesShown
from bot.intake.answering import NOT_READ
from tests.chat.samples import EVIDENCE, INCIDENT, TRIAGE
from tests.chat.test_logs_card import ASKED, FINDING, READ, SHOWN, summary
from tests.chat.workspace import INCIDENTS, LEE, until
from tests.intake.room import Room


async def test_the_evidence_button_opens_the_evidence(room: Room) -> None:
    ts = await room.post(incident_card.render(IncidentView(INCIDENT, evidence=EVIDENCE, triage=TRIAGE)))
    assert (await room.click(ts, "inc.evidence"))["acked"]

    async def shown() -> str:
        modals = (await room.slack.read("views", user=LEE))["modals"]
        return str(modals) if "Failed to pull image" in str(modals) else ""

    assert "Evidence INC-142" in await until(shown)


async def test_evidence_that_cannot_be_read_is_said_in_the_view(room: Room) -> None:
    room.inbox.raises = OSError("no")
    ts = await room.post(incident_card.render(IncidentView(INCIDENT, evidence=EVIDENCE)))
    await room.click(ts, "inc.evidence")

    async def shown() -> bool:
        return NOT_READ in str((await room.slack.read("views", user=LEE))["modals"])

    await until(shown)


async def test_the_logs_button_stores_one_wish_for_each_press(room: Room) -> None:
    ts = await room.post(incident_card.render(IncidentView(INCIDENT, evidence=EVIDENCE, logs=True)))
    assert (await room.click(ts, "inc.logs", wait=5))["acked"]
    (wanted,) = room.inbox.logs_wanted.values()
    assert (wanted.incident_id, wanted.person.user_id, wanted.channel) == (INCIDENT.id, LEE, INCIDENTS)
    assert await room.told() == []


async def test_whoever_may_not_read_logs_is_told_why_and_nobody_else(room: Room) -> None:
    ts = await room.post(incident_card.render(IncidentView(INCIDENT, evidence=EVIDENCE, logs=True)))
    room.inbox.says = "Three of yours are being read already."
    await room.click(ts, "inc.logs", wait=5)
    assert any("Three of yours are being read already." in said for said in await room.told())
    assert room.inbox.logs_wanted == {}


async def _lines(room: Room) -> str:
    ts = await room.post(logs_card.answered(replace(ASKED, channel=INCIDENTS), READ, summary(FINDING)))
    await room.click(ts, logs_card.LINES_ACTION)

    async def shown() -> str:
        modals = str((await room.slack.read("views", user=LEE))["modals"])
        return "" if modals == "[]" or "Reading" in modals else modals

    return str(await until(shown))


async def test_the_lines_that_an_answer_cites_open_in_a_view(room: Room) -> None:
    room.inbox.lines_shown = LinesShown([12], SHOWN, [("pod a", 1)])
    assert "ERROR connection refused" in await _lines(room)


async def test_lines_that_this_person_may_not_see_are_refused_in_the_view(room: Room) -> None:
    room.inbox.lines_shown = LinesShown(refused="Only where the answer stands.")
    assert "Only where the answer stands." in await _lines(room)


async def test_lines_that_are_gone_are_said_to_be(room: Room) -> None:
    assert "There is no such answer any more." in await _lines(room)
