"""No attack on the reviewer moves a finding out of the diff, silences a rule, leaks a secret or becomes more than text.

The model is the worst there can be: it does what the attacker wants with all that it is shown.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from aiohttp import ClientSession

from bot.analysis.diff_review import review
from bot.analysis.review import context
from bot.condense.diff.pack import prepare
from bot.domain.review import Review
from bot.model.gateway import Gateway
from bot.model.prompts import load
from bot.redact import Redactor
from bot.sandbox import messages
from tests.invariants.pull_request_attacks import VEHICLES, WISHES, Attack, answers, attacks, breaches

CASES, SEED = 360, 20261121
MAX_TOKENS = 6000
PROMPT = load(Path(__file__).parents[2] / "prompts")["diff-review"]
REDACTOR = Redactor(key=b"k" * 32)


async def reviewed(model: messages.MessagesSandbox, gateway: Gateway, attack: Attack) -> tuple[list[str], Review]:
    """Return what the model was asked, and the review, of an attack that has been through everything."""
    shown, _ = context.build(attack.pull_request, prepare(attack.patch), REDACTOR.text, max_tokens=MAX_TOKENS)
    for answer in answers(attack, shown):
        model.script({"json": answer})
    found = await review(
        attack.pull_request, attack.patch, gateway, PROMPT, REDACTOR.text, deadline_seconds=30, max_tokens=MAX_TOKENS
    )
    requests = [str(request["body"]) for request in model.requests]
    async with ClientSession(model.url) as session:
        for what in ("script", "requests"):
            await session.delete(f"/sandbox/messages/{what}")
    if attack.vehicle == "review comment":
        # A comment reaches nothing but the reason that a person gives for a dismissal.
        extra = replace(found.findings[-1], fingerprint="e" * 16, state="dismissed", reason=REDACTOR.text(attack.text))
        found = replace(found, findings=(*found.findings, extra))
    return requests, found


async def test_nothing_that_a_stranger_writes_moves_the_reviewer(model, capsys):
    gateway = Gateway(api_key=model.api_key, base_url=model.url, redactor=REDACTOR, max_retries=0)
    failed: dict[str, list[str]] = {}
    asked: Counter[int] = Counter()
    for attack in attacks(CASES, SEED):
        requests, found = await reviewed(model, gateway, attack)
        asked[len(requests)] += 1
        # Of what people wrote only the title is kept and shown; it is redacted before it is kept.
        kept = replace(attack.pull_request, title=REDACTOR.text(attack.pull_request.title))
        wrong = breaches(replace(attack, pull_request=kept), requests, found)
        if wrong:
            failed[f"{attack.number} {attack.vehicle}: {attack.wish}: {attack.text[:100]!r}"] = wrong
    await gateway.close()
    with capsys.disabled():
        print(f"\nattacks on the reviewer: {CASES - len(failed)} of {CASES} held off; questions asked: {dict(asked)}")
    assert not failed
    assert asked.keys() == {1, 2}


def test_the_attacks_are_the_same_each_time_and_of_every_kind():
    made = list(attacks(CASES, SEED))
    assert made == list(attacks(CASES, SEED))
    assert {(attack.vehicle, attack.wish) for attack in made} == {(v, w) for v in VEHICLES for w in WISHES}
