"""What a rename takes away: a file that was found by its path or name, and is not where it is looked for any more.

So does a link in its place: what the file said is gone, and something else is read.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from bot.condense.diff.patch import FilePatch
from bot.condense.risk.rule import Risk, Severity

_ASIDE: Final = re.compile(
    r"(?:^|/)(?:docs?|examples?|samples?|old|archived?|archives|attic|disabled|deprecated|unused|graveyard|trash)/"
    r"|\.(?:bak|off|old|orig|disabled|unused|save|txt|md)$|~$|(?:^|/)[_.](?!github/)[^/]*$",
    re.I,
)
"""Where a file is put, or how it is called, that nothing is to read."""


class _Role(NamedTuple):
    id: str
    severity: Severity
    paths: re.Pattern[str]
    message: str


_ROLES: Final = (
    _Role(
        "move/workflow",
        "high",
        re.compile(r"(?:^|/)\.github/workflows/[^/]+\.ya?ml$"),
        "A workflow is moved to where it does not run: its checks are gone.",
    ),
    _Role(
        "move/owners",
        "high",
        re.compile(r"^(?:\.github/|docs/)?CODEOWNERS$"),
        "The list of owners is moved to where it does not count: nobody has to approve any more.",
    ),
    _Role(
        "move/migration",
        "high",
        re.compile(r"(?:^|/)(?:migrations?|migrate|alembic/versions)/(?:.*/)?[^/]+\.(?:py|sql|rb|xml|ya?ml|go|js|ts)$"),
        "A migration is moved to where it is not found: new databases go without it, old ones may refuse the next.",
    ),
    _Role(
        "move/test",
        "high",
        re.compile(
            r"(?:^|/)(?:test_[^/]+\.py|[^/]+_test\.(?:py|go|exs|dart)|[^/]+_(?:spec|test)\.rb"
            r"|[^/]+[._\-](?:test|spec)\.[cm]?[jt]sx?|[^/]+Tests?\.(?:java|kt|cs|scala))$"
        ),
        "A test is moved to where it is not collected: what it caught is caught no more.",
    ),
    _Role(
        "move/infrastructure",
        "critical",
        re.compile(r"\.(?:tf|tofu|tf\.json)$"),
        "Terraform does not read the file there: the next apply destroys what it declares.",
    ),
    _Role(
        "move/rules",
        "high",
        re.compile(r"(?:^|/)(?:[^/]*(?:alert|rule)[^/]*/)*[^/]*(?:alert|rule)[^/]*\.(?:ya?ml|rules)$", re.I),
        "Rules are moved to where nothing loads them: nobody is alerted by them any more.",
    ),
    _Role(
        "move/manifest",
        "high",
        re.compile(
            r"\.(?:ya?ml|jsonnet|libsonnet|cue|tpl|gotmpl)(?:\.(?:j2|tmpl|tpl|gotmpl|erb|enc|sops))?$"
            r"|(?:^|/)(?:k8s|kubernetes|deploy\w*|manifests|charts?|helm|kustomize|clusters|overlays|argocd|flux)/.*\.json$",
            re.I,
        ),
        "A manifest is moved to where nothing applies it: its objects may be deleted, or not be guarded any more.",
    ),
)
LINK: Final = "move/link"
IDS: Final = (*(role.id for role in _ROLES), LINK)
_BECOMES_LINK: Final = re.compile(r"mode 100\d{3} -> 120000")


def moved_away(file: FilePatch) -> tuple[Risk, ...]:
    """Return what a rename takes away, if anything; a risk of the file, and so of line 0 of its old side. Of a file
    that became a link it is one of the line that says where the link leads."""
    if any(_BECOMES_LINK.fullmatch(note) for note in file.notes):
        message = "The file becomes a link: what it said is gone, and what the link leads to is read in its place."
        return (Risk(LINK, "high" if _roles(file.path) else "medium", message, "+", 1),)
    if file.status != "renamed" or not file.old_path:
        return ()
    after = {role.id for role in _roles(file.path)}
    return tuple(
        Risk(role.id, role.severity, role.message, "-", 0) for role in _roles(file.old_path) if role.id not in after
    )[:1]


def _roles(path: str) -> tuple[_Role, ...]:
    aside = _ASIDE.search(path) and not path.endswith("/CODEOWNERS")
    return () if aside else tuple(role for role in _ROLES if role.paths.search(path))
