"""assert: look whether a check holds when the run gets there, and fail the step with what was seen if it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.runbooks.access import Access, AccessFailed
from bot.runbooks.actions.action import Occasion, Rendered, Unsuitable
from bot.runbooks.actions.wait import Wait
from bot.runbooks.arguments import one_of, refusal
from bot.runbooks.call import JSON, Call
from bot.runbooks.checks import PRECONDITIONS
from bot.runbooks.target import Target

Json = Mapping[str, Any]


class Assert(Wait):
    """Asks what a precondition asks, but in its place among the steps: of the target as the steps before leave it.

    What it sees is in the thread whether it holds or not; what follows a failure is the step's ``on_failure``.
    """

    name = "assert"
    kinds = frozenset(kind for check in PRECONDITIONS.values() for kind in check.kinds)
    arguments: Mapping[str, Json] = {"check": one_of(PRECONDITIONS)}
    optional: Mapping[str, Json] = {"with": {"type": "object"}}
    literal = frozenset({"check"})
    once = False

    def render(
        self, target: Target, live: Json, gathered: Sequence[Json], arguments: Json, occasion: Occasion
    ) -> Rendered | Unsuitable:
        """Render the check as a call to nobody."""
        check, given = str(arguments["check"]), dict(arguments.get("with") or {})
        if check not in PRECONDITIONS or target.resource.kind not in PRECONDITIONS[check].kinds:
            return Unsuitable("check", f"{check} is no check of a {target.resource.kind}.")
        wrong = refusal(check, PRECONDITIONS[check].arguments, given)
        if wrong:
            return Unsuitable("parameters", wrong)
        asked = check + (f" ({', '.join(f'{key} {value}' for key, value in given.items())})" if given else "")
        effect = f"Then it looks whether {target} is {asked}; if not, the step fails."
        return Rendered(Call("ASSERT", "", JSON, {"check": check, "with": given}), (effect,), "")

    async def send(self, access: Access, target: Target, call: Call, *, dry_run: bool = False) -> Json:
        """Look once. What was seen is in the answer, or in the failure."""
        live = await access.find(target.resource, target.namespace, target.name)
        if live is None or live["metadata"]["uid"] != target.uid:
            raise AccessFailed("not-so", f"{target} is not there any more.", in_doubt=False)
        seen = PRECONDITIONS[call.body["check"]].observe(live, call.body["with"])
        if not seen.holds:
            raise AccessFailed("not-so", seen.sentence, in_doubt=False)
        return {"sentence": seen.sentence}

    def foresee(self, live: Json, call: Call) -> Json:
        """Show the call itself."""
        return {"assert": call.body}
