"""The view of the evidence opens at once and is filled as soon as it is read."""

from bot.chat import incident_card
from bot.chat.incident_card import IncidentView
from bot.intake.answering import NOT_READ
from tests.chat.samples import EVIDENCE, INCIDENT, TRIAGE
from tests.chat.workspace import LEE, until
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
