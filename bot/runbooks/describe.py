"""A runbook in words, for the people who use or review it. Every sentence is made from the file and the actions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.runbook import Check, Runbook, Step, Where
from bot.runbooks.actions import ACTIONS
from bot.runbooks.actions.action import Action
from bot.runbooks.checks import HEALTH, NOTHING, PRECONDITIONS


def describe(runbook: Runbook) -> Iterator[str]:
    """Yield the lines: what it is for, what it takes, does, needs, checks, and how it is taken back."""
    yield f"{runbook.title} ({runbook.id}, version {runbook.version}, risk {runbook.risk})"
    yield runbook.description
    yield f"file {runbook.path}, digest {runbook.digest}"
    if runbook.owner:
        yield f"kept by {runbook.owner}"
    yield ""
    yield "Parameters:"
    for name, rules in runbook.parameters["properties"].items():
        yield f"  {name}: {_rules(name, rules, runbook.parameters.get('required', ()))}"
    yield f"Target: {_where(runbook.target)}"
    yield from _checks("Before", runbook.preconditions)
    yield "Steps:"
    for index, step in enumerate(runbook.steps, 1):
        yield from _step(index, step)
    watched = runbook.verification
    if watched.check.check == NOTHING:
        yield "Afterwards: nothing can be looked at, so whether it helped cannot be told."
    else:
        then = "what was done is taken back" if watched.on_failure == "rollback" else "the run did not help"
        held = f"{HEALTH[watched.check.check].waits_for}, without a break for {watched.stable_seconds} s"
        yield f"Afterwards: {held}; if not within {watched.deadline_seconds} s, {then}."
    yield f"To take it back: {runbook.rollback.note}" + _rollback(runbook)
    yield f"Sign-off: {_approval(runbook)}"
    if runbook.lock:
        yield f"Lock: {runbook.lock}, beside the targets"
    if runbook.per_hour:
        yield f"Limit: {runbook.per_hour} runs an hour in a cluster"
    if runbook.run_seconds:
        yield f"Limit: no step begins later than {runbook.run_seconds} s after the first"
    for window in runbook.windows:
        why = f" ({window.why})" if window.why else ""
        hours = window.duration_seconds / 3600
        yield f"Window: {window.kind} from {window.cron}, {window.time_zone}, for {hours:g} h{why}"


def takes(action: Action) -> str:
    """Say what an action takes: arguments it needs, then in brackets those it may have."""
    return ", ".join([*sorted(action.arguments), *(f"[{each}]" for each in sorted(action.optional))]) or "nothing"


def rights(action: Action) -> str:
    """Say which rights of RBAC an action takes beside reading its target."""
    verbs = (
        f"{verb.verb} {verb.qualified}" + (" everywhere" if verb.cluster_wide else "") for verb in sorted(action.verbs)
    )
    return ", ".join(verbs) or "none"


def _rules(name: str, rules: Mapping[str, Any], required: Any) -> str:
    said = [rules["type"] if "enum" not in rules else f"one of {', '.join(map(str, rules['enum']))}"]
    if "minimum" in rules and "maximum" in rules:
        said.append(f"{rules['minimum']} to {rules['maximum']}")
    else:
        said += [f"at least {rules['minimum']}"] if "minimum" in rules else []
        said += [f"at most {rules['maximum']}"] if "maximum" in rules else []
    if "pattern" in rules:
        said.append(f"like {rules['pattern']}")
    if rules.get("secret"):
        said.append("the name of a configured secret")
    if "from" in rules:
        said.append(f"an incident gives it, from {rules['from']}")
    elif "default" in rules:
        said.append(f"{rules['default']} if left out")
    elif name in required:
        said.append("needed")
    return f"{rules['description']} ({', '.join(said)})"


def _where(where: Where) -> str:
    place = f" in namespace {where.namespace}" if where.namespace else ""
    place += f" (only {', '.join(where.namespaces)})" if where.namespaces else ""
    if where.on_node:
        what = f"the pods that a drain of {where.on_node} moves"
    elif where.selector:
        what = f"every {where.kind} with {', '.join(f'{key}={value}' for key, value in where.selector.items())}{place}"
    else:
        return f"{where.kind} {where.name}{place}"
    reach = where.reach
    bounds = [f"at most {reach.max_targets}"]
    bounds += [f"at most {reach.max_percent} % of all"] if reach.max_percent < 100 else []
    bounds += [f"{reach.batch} at a time"] if reach.batch else []
    bounds += [f"{reach.max_errors} may fail"] if reach.max_errors else []
    return f"{what}: {', '.join(bounds)}"


def _checks(word: str, checks: tuple[Check, ...]) -> Iterator[str]:
    if checks:
        yield f"{word}: {', '.join(_check(check) for check in checks)}"


def _check(check: Check) -> str:
    given = ", ".join(f"{key} {value}" for key, value in check.arguments.items())
    doc = PRECONDITIONS[check.check]
    return doc.name + (f" ({given})" if given else "")


def _step(index: int, step: Step) -> Iterator[str]:
    action = ACTIONS[step.action]
    given = ", ".join(f"{key}: {value}" for key, value in step.arguments.items())
    yield f"  {index}. {step.id}: {step.action}" + (f" with {given}" if given else "")
    if step.where is not None:
        yield f"     on {_where(step.where)}"
    if step.condition is not None:
        yield f"     only {'unless' if step.negated else 'if'} {_check(step.condition)}"
    yield from _checks("     before", step.preconditions)
    tried = f", sent again up to {step.retries} times" if step.retries else ""
    yield f"     at most {step.timeout_seconds} s{tried}; on failure {step.on_failure}; {step.idempotency} to repeat"
    rehearsed = "rehearsed by the server" if action.dry_run else "cannot be rehearsed"
    yield f"     {rehearsed}; rights: {rights(action)}; inverse: {action.inverse}"


def _rollback(runbook: Runbook) -> str:
    return " It is part of what is approved." if runbook.rollback.approval == "included" else ""


def _approval(runbook: Runbook) -> str:
    approval = runbook.approval
    groups = [f"{count} of {group}" for group, count in approval.groups.items()]
    people = "1 person" if approval.quorum == 1 else f"{approval.quorum} different people"
    said = [people, *groups, f"within {approval.ttl_seconds // 60} min"]
    said += ["who asked for it may approve it"] if approval.requester_may_approve else []
    said += [] if approval.break_glass else ["no break-glass"]
    return ", ".join(said) + "; the configuration may ask for more"
