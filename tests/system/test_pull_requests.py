"""Pull requests end to end: the real bot, a GitHub that is as strict as the real one, and Slack."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.sandbox.github import shop
from tests.system.town import LEE, Json, Town, checkout_alert, town

PATH = "apps/checkout/deployment.yaml"
SAFE = shop.DEPLOYMENT
RISKY = SAFE.replace(shop.PROBE, "")


@pytest.fixture(scope="module")
async def code(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """An installation that serves, with GitHub. Each test has a repository of its own."""
    async with town(tmp_path_factory.mktemp("code"), github=True) as here:
        await here.serve()
        yield here


async def opened(here: Town, name: str, *, files: dict[str, str] | None = None, **more: Any) -> str:
    """Open pull request 1 of a new repository: it takes a probe away, if not told otherwise."""
    repository = f"shop/{name}"
    await here.on_github("create-repository", full_name=repository, files={PATH: SAFE}, people={"lee": "write"})
    await here.on_github("push", full_name=repository, branch="change", files=files or {PATH: RISKY})
    await here.on_github("open-pull", full_name=repository, head="change", title="Roll out faster", **more)
    return repository


async def pull(here: Town, repository: str) -> Json:
    return next(one for one in (await here.github(repository))["pulls"] if one["number"] == 1)


async def reviewed(here: Town, repository: str, reviews: int = 1) -> Json:
    """Wait for the work on a pull request to be done, with so many reviews."""

    async def there() -> Json | None:
        one = await pull(here, repository)
        done = here.rows("SELECT done = wanted FROM pulls WHERE repository = ?", repository) == [(1,)]
        return one if done and len(one["reviews"]) >= reviews and one["comments"] else None

    found: Json = await here.until(there, f"{reviews} reviews in {repository}")
    return found


async def commented(here: Town, repository: str, words: str) -> str:
    """Wait for the one comment to say something."""

    async def there() -> str:
        said = [one["body"] for one in (await pull(here, repository))["comments"] if one["user"] == "signoff[bot]"]
        return next((body for body in said if words in body), "")

    body: str = await here.until(there, f"{words!r} in the comment on {repository}")
    return body


async def test_an_opened_pull_request_is_reviewed_once_in_all_places(code: Town) -> None:
    repository = await opened(code, "places")
    found = await reviewed(code, repository)
    (review,) = found["reviews"]
    assert review["state"] == "COMMENTED"
    assert [(one["path"], one["side"]) for one in review["comments"]] == [(PATH, "LEFT")]
    assert [one["user"] for one in found["comments"]] == ["signoff[bot]"]
    assert "readinessProbe" in review["comments"][0]["body"]
    (check,) = (await code.github(repository))["checks"]
    assert (check["status"], check["head_sha"]) == ("completed", found["head_sha"])
    await code.sees(rf"^Risk high in {repository}#1")


async def test_a_push_with_a_new_finding_gets_a_review_and_edits_the_one_comment(code: Town) -> None:
    repository = await opened(code, "pushed")
    first = await reviewed(code, repository)
    fewer = RISKY.replace("replicas: 3", "replicas: 1")
    await code.on_github("push", full_name=repository, branch="change", files={PATH: fewer})
    found = await reviewed(code, repository, reviews=2)
    assert [one["commit_id"] for one in found["reviews"]] == [first["head_sha"], found["head_sha"]]
    assert [one["id"] for one in found["comments"]] == [one["id"] for one in first["comments"]]
    said = [one["body"] for review in found["reviews"] for one in review["comments"]]
    assert len(said) == len(set(said))


async def test_a_finding_that_is_mended_is_resolved_where_it_was_said(code: Town) -> None:
    repository = await opened(code, "mended")
    first = await reviewed(code, repository)
    await code.sees(rf"^Risk high in {repository}#1")
    await code.on_github("push", full_name=repository, branch="change", files={PATH: SAFE + "# probed again\n"})
    assert "1 resolved" in await commented(code, repository, "1 resolved")
    found = await reviewed(code, repository)
    (before,), (after,) = first["comments"], found["comments"]
    assert "resolved" not in before["body"]
    assert "**Risk high**" not in after["body"]
    assert len(found["reviews"]) == 1, "a push that brings nothing new is no reason to write to people"
    assert found["head_sha"] in [check["head_sha"] for check in (await code.github(repository))["checks"]]

    async def calmer() -> bool:
        return await code.count(rf"^Risk high in {repository}#1") == 0

    await code.until(calmer, "the line in Slack to be edited")
    assert await code.count(rf"^Risk \w+ in {repository}#1") == 1


async def test_a_storm_of_pushes_ends_with_one_review_of_the_last(code: Town) -> None:
    repository = await opened(code, "storm")
    for replicas in range(6):
        files = {PATH: RISKY.replace("replicas: 3", f"replicas: {replicas}")}
        await code.on_github("push", full_name=repository, branch="change", files=files)
    last = (await pull(code, repository))["head_sha"]
    await commented(code, repository, last[:12])
    found = await reviewed(code, repository)
    heads = [one["commit_id"] for one in found["reviews"]]
    assert len(heads) == len(set(heads))
    assert len(found["comments"]) == 1


async def test_a_redelivery_has_no_second_effect(code: Town) -> None:
    repository = await opened(code, "again")
    await reviewed(code, repository)

    async def deliveries() -> list[Json]:
        async with code.session.get(f"{code.urls['github']}/sandbox/github/deliveries") as response:
            found: list[Json] = (await response.json())["deliveries"]
            return found

    for delivery in (await deliveries())[-3:]:
        await code.on_github("redeliver", delivery=delivery["id"])

    async def answered() -> bool:
        return [one["status"] for one in await deliveries() if one["redelivery"]] == ["OK"] * 3

    await code.until(answered, "the redeliveries to be answered")
    found = await reviewed(code, repository)
    assert (len(found["reviews"]), len(found["comments"])) == (1, 1)


async def test_a_redelivery_after_a_permission_was_mended_has_its_effect(code: Town) -> None:
    await code.on_github("fault", action="status", method="GET", path="/shop/mended-since/pulls/1$", value=403)
    repository = await opened(code, "mended-since")
    of = "SELECT note FROM pulls WHERE done = wanted AND repository = ?"
    await code.until(lambda: "403" in str(code.rows(of, repository)), "the pull request to be given up")
    async with code.session.get(f"{code.urls['github']}/sandbox/github/deliveries") as response:
        delivery = (await response.json())["deliveries"][-1]
    await code.on_github("redeliver", delivery=delivery["id"])
    assert len((await reviewed(code, repository))["reviews"]) == 1


async def test_what_github_refuses_in_one_place_is_said_in_the_others(code: Town) -> None:
    refusal = {"action": "status", "method": "POST", "path": "/shop/half/pulls/1/reviews$", "value": 403}
    await code.on_github("fault", **refusal)
    repository = await opened(code, "half")
    of = "SELECT note FROM pulls WHERE done = wanted AND repository = ?"
    await code.until(lambda: "review: GitHub answered 403" in str(code.rows(of, repository)), "the refusal in the row")
    assert "A probe is gone" in await commented(code, repository, "Risk high")
    assert [one["conclusion"] for one in (await code.github(repository))["checks"]] == ["neutral"]
    await code.sees(rf"^Risk high in {repository}#1")
    async with code.session.get(f"{code.urls['github']}/sandbox/github/deliveries") as response:
        deliveries = [one for one in (await response.json())["deliveries"] if one["event"] == "pull_request"]
    await code.on_github("redeliver", delivery=deliveries[-1]["id"])
    assert len((await reviewed(code, repository))["reviews"]) == 1


async def test_a_run_that_passes_leaves_a_pull_request_in_peace(code: Town) -> None:
    repository = await opened(code, "green")
    sha = (await reviewed(code, repository))["head_sha"]
    wanted = code.rows("SELECT wanted FROM pulls WHERE repository = ?", repository)
    run = await code.on_github("run-workflow", full_name=repository, head_sha=sha, jobs=[{"name": "lint"}])
    ended = "SELECT 1 FROM ci_runs WHERE run_id = ? AND done = wanted"
    await code.until(lambda: code.rows(ended, run["id"]), "the run to be dealt with")
    assert code.rows("SELECT wanted FROM pulls WHERE repository = ?", repository) == wanted


async def test_drafts_wait_until_somebody_who_may_write_asks(code: Town) -> None:
    repository = await opened(code, "draft", draft=True)
    of = "FROM pulls WHERE done = wanted AND repository = ?"
    left = [("it is a draft",)]
    await code.until(lambda: code.rows(f"SELECT note {of}", repository) == left, "the draft to be left alone")
    await code.on_github("comment", full_name=repository, number=1, body="@signoff review", user="stranger")
    refused = "SELECT answer FROM pull_commands WHERE author = 'stranger' AND answer <> ''"
    await code.until(lambda: code.rows(refused) == [("refused",)], "the refusal")
    found = await pull(code, repository)
    assert (found["reviews"], len(found["comments"])) == ([], 1)
    await code.on_github("comment", full_name=repository, number=1, body="@signoff review", user="lee")
    assert len((await reviewed(code, repository))["reviews"]) == 1


async def test_who_asks_for_what_cannot_be_reviewed_is_told_so(code: Town) -> None:
    repository = await opened(code, "asked-too-late")
    await reviewed(code, repository)
    await code.on_github("act-on-pull", full_name=repository, number=1, action="close")
    await code.until(lambda: code.rows("SELECT state FROM pulls WHERE repository = ?", repository) != [("open",)], "it")
    for number, why in ((1, "it is closed"), (9, "GitHub answered 404: Not Found")):
        await code.ops(f"review {repository}#{number}")
        told = f"{repository}#{number} was not reviewed, though you asked for it: {why}."

        async def said(told: str = told) -> bool:
            return told in await code.direct(LEE)

        await code.until(said, told)


async def test_a_bots_pull_request_is_left_alone_until_somebody_asks_in_slack(code: Town) -> None:
    repository = await opened(code, "asked", user="renovate[bot]")
    of = "SELECT note FROM pulls WHERE done = wanted AND repository = ?"
    await code.until(lambda: "bot" in str(code.rows(of, repository)), "the bot's pull request to be left alone")
    assert (await pull(code, repository))["comments"] == []
    assert "does not review other/deploy" in await code.ops("review other/deploy#1")
    assert "is no pull request" in await code.ops("review everything")
    said = await code.ops(f"review {code.urls['github']}/{repository}/pull/1")
    assert said == f"Reviewing {repository}#1. What is found appears on the pull request."
    assert len((await reviewed(code, repository))["reviews"]) == 1
    asked = "SELECT actor FROM audit WHERE kind = 'pull.asked' AND subject = ?"
    assert code.rows(asked, f"{repository}#1") == [("slack:T0SHOP:U0LEE",)]


async def test_the_policy_is_read_from_the_default_branch_alone(code: Town) -> None:
    hiding = {".github/signoff.yml": "review:\n  ignore_paths: ['**']\n", PATH: RISKY}
    repository = await opened(code, "policy", files=hiding)
    assert "Not reviewed" not in (await reviewed(code, repository))["comments"][0]["body"]
    wrong = {".github/signoff.yml": "review: {draft: 1}\n"}
    await code.on_github("push", full_name=repository, branch="main", files=wrong)
    await code.on_github("push", full_name=repository, branch="change", files={PATH: RISKY + "# more\n"})
    said = await commented(code, repository, "is no key that is known here")
    assert said.count("is no key that is known here") == 1


async def test_a_fork_is_reviewed_and_its_words_reach_nobody(code: Town) -> None:
    repository = await opened(code, "origin")
    await code.on_github("fork", full_name="mallory/origin", of=repository)
    await code.on_github("push", full_name="mallory/origin", branch="gift", files={PATH: RISKY})
    hostile = "@everyone <!-- signoff:pull-request --> ![x](https://evil.example/leak)"
    await code.on_github(
        "open-pull", full_name=repository, head="gift", head_repository="mallory/origin", title=hostile, body=hostile
    )

    async def gift() -> Json | None:
        found = (await code.github(repository))["pulls"][1]
        return found if found["reviews"] and found["comments"] else None

    found = await code.until(gift, "the fork's review")
    said = [one["body"] for one in (*found["comments"], *found["reviews"])]
    assert not any("evil.example" in text or "@everyone" in text for text in said)


async def test_a_mark_that_a_stranger_writes_is_not_ours(code: Town) -> None:
    repository = await opened(code, "marked", draft=True)
    sha = (await pull(code, repository))["head_sha"]
    forged = f"<!-- signoff:pull-request -->\n<!-- signoff:review {sha} -->\nnothing to see"
    await code.on_github("comment", full_name=repository, number=1, body=forged, user="stranger")
    await code.on_github("act-on-pull", full_name=repository, number=1, action="ready")
    found = await reviewed(code, repository)
    assert [one["user"] for one in found["comments"]] == ["stranger", "signoff[bot]"]
    assert found["comments"][0]["body"] == forged


async def test_a_finding_is_dismissed_by_whoever_may_write(code: Town) -> None:
    repository = await opened(code, "dismiss")
    await reviewed(code, repository)
    (findings,) = code.rows("SELECT findings FROM pulls WHERE repository = ?", repository)
    name = json.loads(findings[0])[0]["fingerprint"][:8]
    for user, words in (
        ("mallory", f"{name} not here"),
        ("lee", "00000000 x"),
        ("lee", f"{name} the mesh probes"),
    ):
        await code.on_github("comment", full_name=repository, number=1, body=f"@signoff dismiss {words}", user=user)

    async def shown() -> bool:
        said = [one["body"] for one in (await pull(code, repository))["comments"] if one["user"] == "signoff[bot]"]
        return "lee: the mesh probes" in said[0] and any("no finding" in body for body in said[1:])

    await code.until(shown, "the dismissal in the comment")
    assert code.rows("SELECT answer FROM pull_commands WHERE author = 'mallory'") == [("refused",)]


async def test_each_line_of_a_comment_is_obeyed_and_answered_once(code: Town) -> None:
    repository = await opened(code, "lines")
    await reviewed(code, repository)
    words = "@signoff dismiss 00000000 x\n@signoff dance\n```\n@signoff dance\n```\n@signoff: review"
    await code.on_github("comment", full_name=repository, number=1, body=words, user="lee")

    async def answers() -> list[str]:
        said = [one["body"] for one in (await pull(code, repository))["comments"] if one["user"] == "signoff[bot]"]
        return said[1:]

    (answer,) = await code.until(answers, "the answer")
    assert (answer.count("There is no finding"), answer.count("I understand")) == (1, 1)
    verbs = "SELECT data FROM audit WHERE kind = 'pull.command' AND subject = ? ORDER BY seq"
    told = [json.loads(data) for (data,) in code.rows(verbs, f"{repository}#1")]
    assert [(one["verb"], one["outcome"]) for one in told] == [
        ("dismiss", "unclear"),
        ("dance", "unclear"),
        ("review", "done"),
    ]


async def test_a_review_of_what_is_closed_is_declined_in_words(code: Town) -> None:
    repository = await opened(code, "over")
    await reviewed(code, repository)
    await code.on_github("act-on-pull", full_name=repository, number=1, action="close")
    await code.on_github("comment", full_name=repository, number=1, body="@signoff review", user="lee")
    await code.until(
        lambda: code.rows("SELECT 1 FROM pull_commands WHERE done = wanted AND answer LIKE '%is closed%'"), "the answer"
    )
    assert "I look after open ones only" in (await pull(code, repository))["comments"][-1]["body"]


async def test_a_dismissal_while_the_review_is_being_posted_holds(code: Town) -> None:
    await code.on_github("fault", action="delay", method="POST", path="/shop/meanwhile/pulls/1/reviews$", value=1.5)
    repository = await opened(code, "meanwhile")
    of = "SELECT findings FROM pulls WHERE repository = ? AND reviewed_sha <> ''"
    (findings,) = await code.until(lambda: code.rows(of, repository), "the findings to be stored")
    name = json.loads(findings[0])[0]["fingerprint"][:8]
    assert (await pull(code, repository))["reviews"] == []
    words = f"@signoff dismiss {name} the mesh probes"
    await code.on_github("comment", full_name=repository, number=1, body=words, user="lee")
    await commented(code, repository, "lee: the mesh probes")
    await reviewed(code, repository)
    (after,) = code.rows(of, repository)
    assert [(one["state"], one["said"]) for one in json.loads(after[0])] == [("dismissed", True)]


async def test_a_failed_run_is_explained_in_the_comment(code: Town) -> None:
    repository = await opened(code, "failing")
    sha = (await reviewed(code, repository))["head_sha"]
    log = (
        "2026-11-21T10:00:00.0000000Z ##[group]Run make test\n"
        "2026-11-21T10:00:01.0000000Z kubeconform apps/\n"
        "2026-11-21T10:00:02.0000000Z apps/checkout/deployment.yaml:12: error: containers[0]: readinessProbe missing\n"
        "2026-11-21T10:00:02.1000000Z ##[error]Process completed with exit code 1.\n"
    )
    jobs = [{"name": "lint"}, {"name": "test", "conclusion": "failure", "log": log}]
    await code.on_github("run-workflow", full_name=repository, head_sha=sha, jobs=jobs)

    async def explained() -> str:
        body: str = (await pull(code, repository))["comments"][0]["body"]
        return body if "CI failed" in body else ""

    assert "readinessProbe missing" in await code.until(explained, "the failure in the comment")
    passed = [{"name": "lint"}, {"name": "test"}]
    await code.on_github("run-workflow", full_name=repository, head_sha=sha, jobs=passed)

    async def gone() -> bool:
        return not await explained()

    await code.until(gone, "the failure to go from the comment")
    assert len((await pull(code, repository))["comments"]) == 1


async def test_failed_jobs_that_cannot_be_read_are_named(code: Town) -> None:
    repository = await opened(code, "unread")
    sha = (await reviewed(code, repository))["head_sha"]
    await code.on_github("run-workflow", full_name=repository, head_sha=sha, jobs=[], conclusion="startup_failure")
    await commented(code, repository, "It failed before any job ran")
    boom = "2026-11-21T10:00:02.0000000Z ##[error]boom\n"
    jobs = [{"name": f"e2e-{number}", "conclusion": "failure", "log": boom} for number in range(8)]
    await code.on_github("run-workflow", full_name=repository, head_sha=sha, jobs=jobs)
    said = await commented(code, repository, "boom")
    assert "`e2e-6`, `e2e-7`: Its log was not read" in said


async def test_a_push_of_several_commits_is_read_as_a_whole(code: Town) -> None:
    await code.on_github("create-repository", full_name="shop/straight", files={PATH: SAFE})
    last = {"full_name": "shop/straight", "branch": "main", "files": {"notes.txt": "done\n"}}
    await code.on_github("push", **last, earlier=[{PATH: RISKY}])
    of = "SELECT paths, risks FROM changes WHERE done = wanted AND kind = 'push' AND repository = 'shop/straight'"
    ((paths, risks),) = await code.until(lambda: code.rows(of), "the push to be described")
    assert sorted(json.loads(paths)) == [PATH, "notes.txt"]
    assert (PATH, "k8s/probe-removed") in [(risk["path"], risk["rule"]) for risk in json.loads(risks)]


async def test_a_later_incident_names_the_change_that_was_merged_before_it(code: Town) -> None:
    repository = await opened(code, "culprit")
    await code.on_github("act-on-pull", full_name=repository, number=1, action="merge", user="lee")
    described = "SELECT count(*) FROM changes WHERE done = wanted AND kind = 'merge' AND risks <> '[]'"
    await code.until(lambda: code.rows(described) == [(1,)], "the merge to be described")
    main = (await code.github(repository))["branches"]["main"]
    run = {"full_name": repository, "head_sha": main, "branch": "main", "event": "push", "name": "Deploy"}
    boom = "2026-11-21T10:00:02.0000000Z ##[error]dial tcp 10.0.0.7:443: i/o timeout\n"
    await code.on_github("run-workflow", **run, jobs=[{"name": "rollout"}])
    failed = await code.on_github(
        "run-workflow", **run, jobs=[{"name": "rollout", "conclusion": "failure", "log": boom}]
    )
    explained = "SELECT count(*) FROM ci_runs WHERE on_default AND failure IS NOT NULL"
    await code.until(lambda: code.rows(explained) == [(1,)], "the failed deployment to be explained")
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert await code.alert(checkout_alert(starts_at=now)) == 200
    about = f"{repository}#1 was merged"

    async def on_the_card() -> bool:
        return about in json.dumps(await code.page.messages("U0LEE"))

    await code.until(on_the_card, "the change on the card")
    (evidence,) = code.rows("SELECT record FROM evidence WHERE record LIKE '%in the 24 h before the alert%'")
    assert "names checkout" in evidence[0]

    async def asked(runbook: str) -> Json:
        number = "SELECT min(number) FROM approvals WHERE runbook = ?"
        await code.until(lambda: code.rows(number, runbook) != [(None,)], f"a request to {runbook}")
        return await code.request(code.rows(number, runbook)[0][0])

    ended = "SELECT runs.state FROM runs JOIN approvals ON approvals.id = approval_id WHERE runbook = ?"
    done = [("succeeded",)]
    request = await asked("rerun-failed-jobs")
    await code.page.click(LEE, request, "Approve")

    async def started() -> bool:
        runs = (await code.github(repository))["runs"]
        return any((one["id"], one["run_attempt"]) == (failed["id"], 2) for one in runs)

    await code.until(started, "the jobs to run again")
    await code.on_github("finish-run", full_name=repository, run=failed["id"])
    await code.until(lambda: code.rows(ended, "rerun-failed-jobs") == done, "the run to be seen to end well")

    request = await asked("revert-pull-request")
    assert "readinessProbe" in json.dumps(request["blocks"]), "an approver sees each line that goes back"
    before = (await code.github(repository))["branches"]["main"]
    await code.page.click(LEE, request, "Approve")
    await code.until(lambda: code.rows(ended, "revert-pull-request") == done, "the revert to be there")
    after = await code.github(repository)
    made = next(one for one in after["pulls"] if one["number"] == 2)
    assert (made["user"], made["state"], made["base_ref"]) == ("signoff-actions", "open", "main")
    assert after["branches"]["main"] == before, "people merge it"
    await code.sees(rf"{repository}#2 takes PullRequest {repository}#1 back")
    assert code.audit_holds()


async def into_small(here: Town, name: str) -> str:
    """Open pull request 2 of a new repository, which takes a probe away from ``main`` and nothing from ``small``."""
    repository = await opened(here, name, base="main", draft=True)
    await here.on_github("act-on-pull", full_name=repository, number=1, action="close")
    await here.on_github("push", full_name=repository, branch="small", files={"small.txt": "x\n"})
    await here.on_github("open-pull", full_name=repository, head="change", base="small", draft=True)
    await here.on_github("act-on-pull", full_name=repository, number=2, action="merge")
    await here.on_github("push", full_name=repository, branch="change", files={"more.txt": "x\n"})
    await here.on_github("open-pull", full_name=repository, head="change", base="small")
    return repository


async def concluded(here: Town, repository: str, conclusion: str) -> list[Json]:
    """Wait for Signoff's check run to say this, and return all check runs."""

    async def there() -> list[Json] | None:
        checks: list[Json] = (await here.github(repository))["checks"]
        ours = [one["conclusion"] for one in checks if one["app"]["slug"] == "signoff"]
        done = here.rows("SELECT done = wanted FROM pulls WHERE repository = ?", repository)
        return checks if ours == [conclusion] and set(done) == {(1,)} else None

    found: list[Json] = await here.until(there, f"the check run of {repository} to be {conclusion}")
    return found


async def test_into_another_branch_the_same_head_is_reviewed_anew(code: Town) -> None:
    repository = await into_small(code, "retargeted")
    await concluded(code, repository, "success")
    await code.on_github("retarget", full_name=repository, number=3, base="main")
    await concluded(code, repository, "neutral")
    (ours,) = [one for one in (await code.github(repository))["pulls"] if one["number"] == 3]
    assert "A probe is gone" in ours["comments"][-1]["body"]


async def test_a_second_pull_request_of_the_same_head_does_not_calm_the_firsts_check(code: Town) -> None:
    repository = await into_small(code, "twice-opened")
    await concluded(code, repository, "success")
    await code.on_github("open-pull", full_name=repository, head="change", base="main")
    await concluded(code, repository, "neutral")
    await code.on_github("comment", full_name=repository, number=3, body="@signoff review", user="lee")
    asked = "SELECT count(*) FROM pull_commands AS c JOIN pulls AS p ON p.id = c.pull_id WHERE c.done = c.wanted"
    await code.until(lambda: code.rows(f"{asked} AND p.repository = ?", repository) == [(1,)], "the command")
    await concluded(code, repository, "neutral")


async def test_a_check_run_that_another_app_made_in_our_name_is_not_ours(code: Town) -> None:
    repository = await opened(code, "suppressed", draft=True)
    sha = (await pull(code, repository))["head_sha"]
    forged = {"name": "Signoff", "external_id": f"signoff:{sha}"}
    await code.on_github("check", full_name=repository, head_sha=sha, **forged)
    await code.on_github("act-on-pull", full_name=repository, number=1, action="ready")
    checks = await concluded(code, repository, "neutral")
    assert [(one["app"]["slug"], one["conclusion"]) for one in checks] == [
        ("other-ci", "success"),
        ("signoff", "neutral"),
    ]
