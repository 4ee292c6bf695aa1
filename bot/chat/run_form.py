"""The forms that ask for a runbook: which one, and its parameters as inputs made from its schema.

Slack's limits: 24 characters of title, 75 of an option, 100 options, 2,000 of a label or hint, 3,000 of metadata.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.chat import rich_text as rich
from bot.chat.card import option, plain_text
from bot.chat.mrkdwn import plain
from bot.domain.incident import Incident
from bot.domain.matter import Matter
from bot.domain.runbook import Runbook

PICK = "run.pick"
ASK = "run.ask"
RUNBOOK_BLOCK = "runbook"
INCIDENT_BLOCK = "incident"
BEHALF_BLOCK = "behalf"
_ACTION = "value"
_PARAMETER = "p."
"""What the block of a parameter begins with: no name of a parameter is taken for one of ours."""
_MOST_OPTIONS = 100
_ID = re.compile(r"[A-Za-z0-9._-]{1,80}")
_USER_ID = re.compile(r"[UW][A-Z0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Form:
    """What a form is opened with. ``matters`` are the incidents to choose from, or the one thing that it is for.
    ``replaces`` is the button value of the request whose parameters are changed, ``behalf`` the user id of whom that
    one acts for."""

    runbook: Runbook
    matters: Sequence[Matter]
    values: Mapping[str, Any] = field(default_factory=dict)
    replaces: str = ""
    behalf: str = ""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a form was sent with. ``behalf`` is the user id of whom the person acts for, empty if for themselves."""

    runbook: str
    matter_id: str
    replaces: str = ""
    behalf: str = ""


def pick(runbooks: Sequence[Runbook], incidents: Sequence[Matter]) -> dict[str, Any]:
    """Return the form that asks which runbook, and for which incident."""
    choices = [option(plain(f"{each.title} ({each.risk})", 75), each.id) for each in runbooks[:_MOST_OPTIONS]]
    blocks = [_input(RUNBOOK_BLOCK, "Runbook", _select(choices)), *_incident(incidents)]
    return _view(PICK, "Run a runbook", "Next", blocks, {"incident": _only(incidents)})


def render(form: Form) -> dict[str, Any]:
    """Return the form of one runbook."""
    runbook = form.runbook
    about = rich.section(rich.bold(plain(runbook.title, 120)), rich.text(f" · risk {runbook.risk}"))
    told = rich.section(rich.text(plain(runbook.description, 600)))
    ends = rich.section(rich.italic("Nothing runs yet: the exact change is shown, and somebody else signs it off."))
    blocks: list[dict[str, Any]] = [rich.block(about, told, ends), *_incident(form.matters)]
    required = runbook.parameters.get("required", ())
    for name, declared in runbook.parameters["properties"].items():
        initial = form.values.get(name, declared.get("default"))
        blocks.append(
            _input(
                f"{_PARAMETER}{name}",
                str(declared.get("title") or name),
                _element(declared, initial),
                hint=plain(str(declared.get("description", "")), 300),
                # A person gives what Signoff would take from the incident too.
                optional="default" in declared and name not in required,
            )
        )
    whom: dict[str, Any] = {"type": "users_select"} | ({"initial_user": form.behalf} if form.behalf else {})
    hint = "Whom you act for. Neither you nor they can approve it, unless its runbook allows that."
    blocks.append(_input(BEHALF_BLOCK, "On behalf of", whom, hint=hint, optional=True))
    kept = {"runbook": runbook.id, "incident": _only(form.matters), "replaces": form.replaces}
    title = "Change a request" if form.replaces else "Run a runbook"
    return _view(ASK, title, "Ask for sign-off", blocks, kept)


def refused(sentence: str) -> dict[str, Any]:
    """Return what takes a form's place when it cannot be used."""
    return {
        "type": "modal",
        "title": plain_text("Nothing was asked for"),
        "close": plain_text("Close"),
        "blocks": [rich.block(rich.section(rich.text(plain(sentence, 1000))))],
    }


def submitted(view: Mapping[str, Any]) -> Submitted | None:
    """Read what a form was sent for, or None if it is none of ours or says nothing."""
    try:
        kept = json.loads(view.get("private_metadata") or "")
        runbook = kept.get("runbook") or _chosen(view, RUNBOOK_BLOCK)
        incident = kept.get("incident") or _chosen(view, INCIDENT_BLOCK)
        replaces = kept.get("replaces") or ""
    except (ValueError, AttributeError):
        return None
    if not all(isinstance(each, str) and _ID.fullmatch(each) for each in (runbook, incident)):
        return None
    behalf = _state(view, BEHALF_BLOCK).get("selected_user") or ""
    if behalf and not (isinstance(behalf, str) and _USER_ID.fullmatch(behalf)):
        return None  # never taken for nobody: whoever it was could then approve
    return Submitted(runbook, incident, replaces if isinstance(replaces, str) else "", behalf)


def answers(view: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Read the parameters that a person gave. What was left empty is not given; what is no number stays text, for the
    schema to refuse."""
    found: dict[str, Any] = {}
    for name, declared in parameters["properties"].items():
        block = f"{_PARAMETER}{name}"
        chosen, typed = _chosen(view, block), _typed(view, block).strip()
        if "enum" in declared:
            if chosen.isdecimal() and int(chosen) < len(declared["enum"]):
                found[name] = declared["enum"][int(chosen)]
        elif declared["type"] == "boolean":
            if chosen:
                found[name] = chosen == "true"
        elif typed:
            whole = declared["type"] == "integer" and re.fullmatch(r"-?[0-9]{1,15}", typed)
            found[name] = int(typed) if whole else typed
    return found


def errors(faults: Mapping[str, str]) -> dict[str, str]:
    """Return the faults of parameters by the blocks that show them."""
    return {f"{_PARAMETER}{name}": sentence[:300] for name, sentence in faults.items()}


def _element(declared: Mapping[str, Any], initial: Any) -> dict[str, Any]:
    if "enum" in declared:
        choices = [option(plain(str(each), 75) or "(empty)", str(place)) for place, each in enumerate(declared["enum"])]
        return _select(choices, declared["enum"].index(initial) if initial in declared["enum"] else None)
    if declared["type"] == "boolean":
        choices = [option("Yes", "true"), option("No", "false")]
        return _select(choices, None if initial is None else int(not initial))
    element: dict[str, Any]
    if declared["type"] == "integer":
        element = {"type": "number_input", "is_decimal_allowed": False}
        element |= {f"{end[:3]}_value": str(declared[end]) for end in ("minimum", "maximum") if end in declared}
    else:
        element = {"type": "plain_text_input", "max_length": min(int(declared.get("maxLength", 3000)), 3000)}
    if initial not in (None, ""):
        element["initial_value"] = str(initial)
    return element


def _select(choices: Sequence[Mapping[str, Any]], initial: int | None = None) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "static_select", "options": [dict(each) for each in choices]}
    if initial is not None:
        element["initial_option"] = dict(choices[initial])
    return element


def _incident(matters: Sequence[Matter]) -> list[dict[str, Any]]:
    if len(matters) == 1:
        return []
    incidents = [each for each in matters if isinstance(each, Incident)]
    choices = [option(plain(f"{each.name} {each.title}", 75), each.id) for each in incidents[:_MOST_OPTIONS]]
    return [_input(INCIDENT_BLOCK, "For which incident?", _select(choices))]


def _only(matters: Sequence[Matter]) -> str:
    return matters[0].id if len(matters) == 1 else ""


def _input(
    block_id: str, label: str, element: Mapping[str, Any], *, hint: str = "", optional: bool = False
) -> dict[str, Any]:
    built: dict[str, Any] = {
        "type": "input",
        "block_id": block_id,
        "label": plain_text(label),
        "element": {**element, "action_id": _ACTION},
        "optional": optional,
    }
    return built | ({"hint": plain_text(hint)} if hint else {})


def _view(
    callback: str, title: str, submit: str, blocks: Sequence[Mapping[str, Any]], kept: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": json.dumps(kept),
        "title": plain_text(title),
        "submit": plain_text(submit),
        "close": plain_text("Cancel"),
        "blocks": [dict(each) for each in blocks],
    }


def _state(view: Mapping[str, Any], block_id: str) -> Mapping[str, Any]:
    state: Any = view
    for key in ("state", "values", block_id, _ACTION):
        state = state.get(key) if isinstance(state, Mapping) else None
    return state if isinstance(state, Mapping) else {}


def _chosen(view: Mapping[str, Any], block_id: str) -> str:
    selected = _state(view, block_id).get("selected_option")
    value = selected.get("value") if isinstance(selected, Mapping) else None
    return value if isinstance(value, str) else ""


def _typed(view: Mapping[str, Any], block_id: str) -> str:
    value = _state(view, block_id).get("value")
    return value if isinstance(value, str) else ""
