"""The steps of a long run: one line that is edited while it goes on, and a file of everything at its end."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat.card import FileAttachment
from bot.chat.mrkdwn import utc, visible
from bot.domain.approval import Approval
from bot.domain.canonical import digest
from bot.domain.plan import Plan
from bot.domain.run import StepRecord

MOST = 256 * 1024
"""Characters of the file; the ledger keeps at most a thousand of each step."""


def counted(plan: Plan, steps: Sequence[StepRecord]) -> str:
    """Say how far a run is, in calls."""
    forward = [step for step in steps if step.ordinal < plan.forward]
    back = [step for step in steps if step.ordinal >= plan.forward]
    done = sum(step.state == "done" for step in forward)
    failed = sum(step.state == "failed" for step in forward)
    said = f"{done} of {plan.forward} calls done"
    said += f", {failed} failed" if failed else ""
    return said + (f"; {sum(step.state == 'done' for step in back)} taken back." if back else ".")


def output(approval: Approval, plan: Plan, steps: Sequence[StepRecord]) -> FileAttachment:
    """Return what became of each call, in order, as a file. The details are redacted where they are stored."""
    lines = []
    for step in steps:
        call = plan.calls[step.ordinal]
        target = plan.targets[call["target"]]
        place = "/".join(str(part) for part in (target["namespace"], target["name"]) if part)
        back = "undo of " if call.get("undoes") is not None else ""
        head = f"{utc(step.started_at)} {back}{call['step']} {target['kind']} {place}: {step.state}"
        lines.append(f"{head}. {' '.join(visible(step.detail).split())}")
    text = "\n".join(lines)
    if len(text) > MOST:
        text = text[: text.rfind("\n", 0, MOST)] + "\n(cut here)"
    text += "\n"
    return FileAttachment(
        filename=f"{approval.name}-steps.txt",
        title=f"{approval.name}: what became of {len(lines)} calls",
        content=text,
        sha256=digest(text.encode()),
    )
