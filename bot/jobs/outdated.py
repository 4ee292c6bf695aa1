"""Whether a request still asks for what would be asked for now, by its runbook and by the configuration as they are."""

from __future__ import annotations

from bot.approvals import needs
from bot.domain.plan import Plan
from bot.jobs.world import World
from bot.runbooks import allowed


def outdated(world: World, plan: Plan) -> str:
    """Say which change of its runbook, of the policy or of what allows its calls makes a request void; an empty string
    if none does. Where nothing can be changed any more, what allows its calls is not asked: it cannot start."""
    why = needs.outdated(plan, world.catalogue.runbooks, world.rules.policy)
    if why:
        return why
    access = world.hands(str(plan.record["cluster"]), plan.kinds)
    keys = allowed.changed(plan.record, access, world.rules.registries) if access else []
    if keys:
        return f"What the configuration says of {', '.join(keys)} has changed since this was asked for."
    return ""
