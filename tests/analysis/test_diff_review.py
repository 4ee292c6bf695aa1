"""Reviews against the Messages stand-in over a real socket: a good model, a confused one, a broken one, and none."""

from pathlib import Path
from typing import Any

import pytest

from bot.analysis.diff_review import review
from bot.analysis.review.anchors import Anchors
from bot.analysis.review.check import verify
from bot.condense.diff.parse import from_listing
from bot.model.gateway import Gateway
from bot.model.prompts import load
from bot.redact import Redactor
from tests.analysis.review.diffs import HEAD, LINKED, patch, pull_request

PROMPT = load(Path(__file__).parents[2] / "prompts")["diff-review"]
REDACT = Redactor(key=b"k" * 32).text


async def reviewed(gateway: Gateway | None, *, of=None, previous=(), seconds: float = 20.0, **about: Any):
    return await review(
        pull_request(**about),
        of or patch(),
        gateway,
        PROMPT,
        REDACT,
        previous=previous,
        deadline_seconds=seconds,
        max_tokens=6000,
    )


def finding(**more: Any) -> dict[str, Any]:
    given = {
        "path": "deploy/shop.yaml",
        "side": "RIGHT",
        "line": 13,
        "quote": "      - name: store",
        "severity": "medium",
        "confidence": "medium",
        "category": "observability",
        "why": "Dashboards that select container shop show nothing.",
        "suggestion": "      - name: shop",
    }
    return given | more


def answer(*findings: Any) -> dict[str, Any]:
    return {"summary": "Renames a container, drops its probe and makes it privileged.", "findings": list(findings)}


async def test_what_the_model_quotes_stands_beside_what_the_rules_tell(model, gateway):
    model.script({"json": answer(finding())})
    found = await reviewed(gateway)
    assert (found.analyst, found.note, found.dropped) == ("claude-haiku-5-5", "", {})
    assert found.summary.startswith("Renames a container")
    assert [(f.rule, f.line, f.suggestion) for f in found.findings] == [
        ("k8s/privileged", 41, None),
        ("k8s/probe-removed", 14, None),
        ("", 13, "      - name: shop"),
    ]
    assert (found.verdict, found.risk, found.head_sha) == ("blocker", "critical", HEAD)
    assert [(file.path, file.why, file.kept_lines) for file in found.files] == [("deploy/shop.yaml", "", 6)]


async def test_what_does_not_verify_is_asked_for_once_more(model, gateway):
    model.script({"json": answer(finding(), finding(quote="replicas: 0"))})
    model.script({"json": answer(finding(side="LEFT", quote="      - name: shop", suggestion=None))})
    found = await reviewed(gateway)
    second = model.requests[1]["body"]["messages"][0]["content"]
    assert "finding 2 quotes what is no changed line of that file on the RIGHT side" in second
    assert "replicas: 0" not in second
    assert {(f.side, f.line) for f in found.findings} == {("RIGHT", 41), ("LEFT", 14), ("RIGHT", 13), ("LEFT", 13)}
    assert found.dropped == {}


async def test_and_then_dropped_and_counted(model, gateway):
    model.script({"json": answer(finding(quote="replicas: 0")), "times": 2})
    found = await reviewed(gateway)
    assert len(model.requests) == 2
    assert {f.rule for f in found.findings} == {"k8s/privileged", "k8s/probe-removed"}
    assert found.dropped == {"finding that quotes what is no changed line of that file on the RIGHT side": 1}


async def test_a_second_answer_adds_no_more_than_was_asked_for(model, gateway):
    model.script({"json": answer(finding(quote="replicas: 0"))})
    more = [
        finding(side=side, quote=quote, suggestion=None)
        for side, quote in [("LEFT", "- name: shop"), ("RIGHT", "- name: store")]
    ]
    model.script({"json": answer(*more)})
    found = await reviewed(gateway)
    assert len(found.findings) == 3


@pytest.mark.parametrize(
    ("scripted", "note"),
    [
        ({"raw": "{"}, "rules: the model's endpoint sent something that is no answer (cut, or not its API)"),
        ({"json": {"findings": []}}, "rules: the model's answer did not fit the schema: the whole: summary is missing"),
        ({"error": {"status": 529, "type": "overloaded_error"}}, "rules: the model is overloaded (HTTP 529)"),
        ({"refusal": {"category": "cyber", "explanation": ""}}, "rules: the model refused to answer"),
    ],
)
async def test_a_broken_answer_leaves_the_rules(model, gateway, scripted, note):
    model.script(scripted)
    found = await reviewed(gateway)
    assert (found.analyst, found.note) == ("rules", note)
    assert [f.rule for f in found.findings] == ["k8s/privileged", "k8s/probe-removed"]
    assert found.summary.startswith("A privileged container owns its node.")


@pytest.mark.parametrize("gateway_", [None, Gateway(api_key="", redactor=Redactor())])
async def test_without_a_model_the_rules_answer_and_have_read_everything(gateway_):
    found = await reviewed(gateway_)
    assert (found.analyst, found.note, found.verdict) == ("rules", "rules, no model", "blocker")
    assert found.unread == ()


async def test_a_file_that_becomes_a_link_hides_nothing_of_what_it_said():
    found = await reviewed(None, of=patch(LINKED), changed_files=1)
    assert {(f.rule, f.side, f.line) for f in found.findings} == {
        ("k8s/network-policy-removed", "LEFT", 1),
        ("move/link", "RIGHT", 1),
    }
    assert found.unlisted == 0


async def test_what_github_did_not_show_is_not_called_read():
    entries = [{"filename": "big.sql", "status": "modified", "changes": 90_000, "additions": 90_000, "deletions": 0}]
    found = await reviewed(None, of=from_listing(entries), changed_files=4)
    assert [(file.path, file.why) for file in found.unread] == [("big.sql", "no patch")]
    assert (found.unlisted, found.verdict) == (3, "partial")


async def test_a_finding_the_model_forgets_is_still_open_after_the_next_push(model, gateway):
    model.script({"json": answer(finding())})
    model.script({"json": answer()})
    first = await reviewed(gateway)
    second = await reviewed(gateway, previous=first.findings)
    assert [f.fingerprint for f in second.open] == [f.fingerprint for f in first.open]


def test_the_examples_shown_to_the_model_quote_what_they_show():
    for example in PROMPT.examples:
        anchors = Anchors(from_listing(_listing(example.context)), REDACT)
        checked = verify(dict(example.answer), anchors, {}, REDACT, head_sha=HEAD)
        assert (checked.rejected, checked.dropped) == ((), {})
        assert [(f.start_line, f.suggestion) for f in checked.findings] == [
            (given["line"], given["suggestion"]) for given in example.answer["findings"]
        ]


def _listing(context: str) -> list[dict[str, Any]]:
    """Read a packed diff back, as GitHub lists files."""
    entries: list[dict[str, Any]] = []
    for section in context.split("\nDIFF\n")[1].split("\n## ")[1:]:
        header, *rest = section.split("\n")
        patch = ""
        for run in "\n".join(rest).split("@@ ")[1:]:
            numbers, *lines = [line for line in run.split("\n") if line and line[0] in "-+ "]
            old, _, new = numbers.replace("-", "").partition("+")
            counts = [sum(line[0] != sign for line in lines) for sign in "+-"]
            patch += f"@@ -{old.strip() or 0},{counts[0]} +{new},{counts[1]} @@\n" + "\n".join(lines) + "\n"
        entries.append({"filename": header.split()[0], "status": "modified", "changes": 1, "patch": patch.strip("\n")})
    return entries
