"""A run that became void is asked for anew; one that rests on what cannot be read any more is stopped in sight."""

from __future__ import annotations

import pytest

from bot.runbooks.execute import REQUEST_LIMIT_SECONDS
from tests.system.town import DANA, LEE, Town, checkout_alert


async def test_drift_voids_the_approval_and_proposes_anew(shop: Town) -> None:
    await shop.alert(checkout_alert())
    request = await shop.request()
    await shop.somebody_changes_checkout()
    await shop.page.click(LEE, request, "Approve")
    void = await shop.sees("A-1 is void")
    field = "template.spec.containers[checkout].image: was registry.example/shop/checkout:{}, is {}"
    moved = field.format("4.18.0", "registry.example/shop/checkout:4.18.1")
    assert moved in str(void["blocks"])
    request = await shop.request(2)
    # A click names what it replaces and what was moved; the void one names what took its place.
    assert "'It replaces '" in str(request["blocks"])
    assert "'A-1'" in str(request["blocks"])
    assert moved in str(request["blocks"])
    assert "'A-2'" in str((await shop.sees("^A-1 void: "))["blocks"])
    anew = await shop.sees("A-2 asks anew for what A-1 was for")
    # What the approver would else not notice: the revision before is another one now.
    assert "+ + image: registry.example/shop/checkout:4.18.0" in str(anew["blocks"]).replace("    ", "").replace(
        "  ", ""
    )
    assert await shop.writes() == []
    assert shop.rows("SELECT state FROM approvals ORDER BY number") == [("void",), ("pending",)]


@pytest.mark.parametrize(
    ("at", "state", "locks"),
    [("after:run.started", "void", 0), ("after:step.started", "unknown", 1)],
    ids=["before its first call", "in the middle of a call"],
)
async def test_a_run_whose_request_can_no_longer_be_read_is_stopped_in_sight(
    closed_shop: Town, at: str, state: str, locks: int
) -> None:
    await closed_shop.interrupted(at)
    closed_shop.alter("UPDATE approvals SET record = '{'")
    await closed_shop.serve(ready=False)
    await closed_shop.sees("INC-1: a run was stopped. What was signed off cannot be relied on")
    assert closed_shop.rows("SELECT state FROM runs") == [(state,)]
    assert closed_shop.rows("SELECT count(*) FROM locks") == [(locks,)]
    assert await closed_shop.writes() == []


@pytest.mark.parametrize(("button", "state"), [("It took effect", "inconclusive"), ("It did not", "failed")])
async def test_a_call_that_was_under_way_is_asked_about_though_its_request_was_changed(
    closed_shop: Town, button: str, state: str
) -> None:
    """Nothing is stuck: the question rests on the audit, whoever is listed now answers it, and the locks are free."""
    await closed_shop.interrupted("after:step.started")
    closed_shop.alter("UPDATE approvals SET outcome = 'x'")
    await closed_shop.serve(ready=False)
    question = await closed_shop.sees("A-1: did this take effect.*deployment-rollback")
    assert "Deployment shop/checkout in prod" in str(question["blocks"])
    assert closed_shop.rows("SELECT state FROM run_steps") == [("unknown",)]
    await closed_shop.page.click(DANA, question, button)
    await closed_shop.sees("Only approvers say what became of it", user=DANA)
    if button == "It did not":
        await closed_shop.page.click(LEE, question, button)
        await closed_shop.sees("may still take effect. Look once more after")
        closed_shop.time_passes(REQUEST_LIMIT_SECONDS + 1)
    await closed_shop.page.click(LEE, question, button)
    await closed_shop.sees("A-1: .* looked and says that it .* It ends here")
    assert closed_shop.rows("SELECT state FROM runs") == [(state,)]
    assert closed_shop.rows("SELECT * FROM locks") == []
    assert await closed_shop.writes() == []
    assert closed_shop.audit_holds()
