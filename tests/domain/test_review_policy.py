from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.review import PullRequest
from bot.domain.review_policy import ReviewPolicy, ignored, matches, read, unreadable

PULL = PullRequest(
    repository="shop/deploy",
    number=1,
    title="",
    body="",
    author="dana",
    url="",
    base_branch="main",
    base_sha="b",
    head_branch="change",
    head_sha="h",
)


def test_without_a_file_the_defaults_hold() -> None:
    found = read(None)
    assert found.policy == ReviewPolicy()
    assert found.problems == ()
    assert read("").policy == ReviewPolicy()


def test_a_file_says_what_is_wanted() -> None:
    found = read(
        "review:\n  drafts: true\n  branches: [main, 'release/*']\n  max_inline: 3\n  blocking: true\n"
        "slack:\n  channel: C0REVIEWS\n  risk: critical\n"
    )
    assert found.problems == ()
    assert found.policy == ReviewPolicy(
        drafts=True,
        branches=("main", "release/*"),
        max_inline=3,
        blocking=True,
        slack_channel="C0REVIEWS",
        slack_risk="critical",
    )


def test_who_opened_it_or_that_it_is_a_draft_keeps_no_failure_from_being_explained() -> None:
    policy = ReviewPolicy(branches=("main",))
    assert policy.only_explains(replace(PULL, draft=True), bot=True)
    assert not policy.only_explains(replace(PULL, draft=True, labels=("no-review",)), bot=False)
    assert not policy.only_explains(replace(PULL, base_branch="old"), bot=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("review:\n  draft: true\n", "line 2: review.draft: is no key"),
        ("review:\n  max_inline: 11\n", "line 2: review.max_inline: "),
        ("review:\n  max_inline: many\n", "review.max_inline"),
        ("review: {branches: [1]}\n", "review.branches"),
        ("slack:\n  channel: '#general'\n", "line 2: slack.channel"),
        ("slack:\n  risk: terrible\n", "slack.risk"),
        ("- a list\n", "line 1"),
        ("review: &a\n  drafts: true\nslack: *a\n", "line 1"),
        ("a: [\n", "line"),
        ("x" * 100_000, "line 1"),
    ],
)
def test_a_bad_file_is_explained_and_changes_nothing(text: str, said: str) -> None:
    found = read(text)
    assert found.policy == ReviewPolicy()
    assert found.problems[0].startswith(".github/signoff.yml, ")
    assert said in found.problems[0]


@pytest.mark.parametrize(
    ("policy", "changed", "why"),
    [
        (ReviewPolicy(), {}, ""),
        (ReviewPolicy(), {"draft": True}, "it is a draft"),
        (ReviewPolicy(drafts=True), {"draft": True}, ""),
        (ReviewPolicy(), {"labels": ("no-review",)}, "it has the label 'no-review'"),
        (ReviewPolicy(only_labels=("ops",)), {}, "it has none of the labels that ask for a review"),
        (ReviewPolicy(only_labels=("ops",)), {"labels": ("ops",)}, ""),
        (ReviewPolicy(branches=("release/*",)), {}, "its base branch 'main' is not among those that are reviewed"),
        (ReviewPolicy(branches=("release/*",)), {"base_branch": "release/1"}, ""),
        (
            ReviewPolicy(branches=("main",)),
            {"base_branch": "feature/main"},
            "its base branch 'feature/main' is not among those that are reviewed",
        ),
        (ReviewPolicy(), {"labels": ("team/no-review",)}, ""),
        (
            ReviewPolicy(only_labels=("ops",)),
            {"labels": ("team/ops",)},
            "it has none of the labels that ask for a review",
        ),
    ],
)
def test_what_is_not_reviewed_says_why(policy: ReviewPolicy, changed: dict[str, object], why: str) -> None:
    assert policy.skips(replace(PULL, **changed), bot=False) == why  # type: ignore[arg-type]  # fields by name


def test_bots_are_reviewed_only_where_that_is_wanted() -> None:
    assert ReviewPolicy().skips(PULL, bot=True) == "its author is a bot"
    assert ReviewPolicy(bots=True).skips(PULL, bot=True) == ""


@pytest.mark.parametrize(
    ("pattern", "path", "does"),
    [
        ("docs/**", "docs/a/b.md", True),
        ("docs/**", "src/docs/a.md", False),
        ("docs/*", "docs/a/b.md", False),
        ("**/docs/*", "src/docs/a.md", True),
        ("**/docs/*", "docs/a.md", True),
        ("*.md", "deep/down/a.md", False),
        ("a?c", "abc", True),
        ("a.c", "abc", False),
        ("(a+)+$", "a" * 5000 + "!", False),
    ],
)
def test_globs(pattern: str, path: str, does: bool) -> None:
    assert matches(path, [pattern]) is does


def test_a_name_alone_is_ignored_in_any_folder() -> None:
    policy = ReviewPolicy(ignore_paths=("*.md", "docs/*"))
    assert [policy.ignores(path) for path in ("a.md", "deep/down/a.md", "docs/a", "src/docs/a")] == [
        True,
        True,
        True,
        False,
    ]


def test_a_file_that_cannot_be_read_is_said_and_changes_nothing() -> None:
    found = unreadable("is no file of at most 1 MB")
    assert found.policy == ReviewPolicy()
    assert found.problems == (".github/signoff.yml is no file of at most 1 MB: the defaults hold.",)


def test_what_decides_about_others_cannot_be_ignored() -> None:
    policy = ReviewPolicy(ignore_paths=("**",))
    assert policy.ignores("src/a.py")
    assert not policy.ignores(".github/workflows/ci.yml")
    assert not any(policy.ignores(path) for path in ("CODEOWNERS", "docs/CODEOWNERS"))


def test_a_file_that_is_moved_is_ignored_only_if_it_was_where_it_was_before() -> None:
    policy = ReviewPolicy(ignore_paths=("docs/**",))
    files = [
        ("docs/a.md", "docs/a.md"),
        ("docs/b.md", "docs/old.md"),
        ("docs/policy.yaml", "k8s/policy.yaml"),
        ("docs/ci.yml", ".github/workflows/ci.yml"),
        ("k8s/new.yaml", "docs/new.yaml"),
    ]
    assert ignored(policy, files) == {"docs/a.md", "docs/b.md"}
