"""Risk rules for GitHub Actions: what untrusted code reaches, and what a workflow may do."""

from __future__ import annotations

import re
from typing import Final

from bot.condense.risk.rule import Added, Gone, Rule, Touched
from bot.condense.risk.shell import REMOTE_CODE

PATHS: Final = re.compile(
    r"(?:^|/)\.github/(?:workflows/[^/]+|actions/.+)\.ya?ml$|(?:^|/)action\.ya?ml$"
    r"|(?:^|/)(?:\.gitlab-ci|\.travis|azure-pipelines|bitbucket-pipelines)[^/]*\.ya?ml$|(?:^|/)\.circleci/.+\.ya?ml$",
    re.I,
)
"""Workflows, and the files of other CI systems: what fails, is skipped or is fetched is written there likewise."""

_SCOPES: Final = (
    "contents|packages|actions|deployments|id-token|pull-requests|issues|security-events|pages|checks|statuses"
    "|attestations"
)
_STRANGERS: Final = "issue|pull_request|comment|review|head_commit|commits|discussion|workflow_run"

RULES: Final[tuple[Rule, ...]] = (
    Added(
        "gha/pull-request-target",
        "critical",
        r"\bpull_request_target\b",
        "Runs with secrets for pull requests of strangers: one checkout of their code gives the secrets away.",
    ),
    Added(
        "gha/workflow-run",
        "high",
        r"^\s*-?\s*workflow_run\b",
        "Runs with secrets after a workflow that a stranger's pull request may have shaped.",
    ),
    Added(
        "gha/write-all",
        "critical",
        r"\bpermissions:\s*[\"']?write-all",
        "The token of every step may write everything.",
    ),
    Added(
        "gha/write",
        "high",
        rf"^\s*(?:{_SCOPES}):\s*[\"']?write\b"
        rf"|\bpermissions:\s*\{{(?:[^}}]*[,\s])?[\"']?(?:{_SCOPES})[\"']?:\s*[\"']?write\b",
        "The token may write this.",
    ),
    Gone(
        "gha/permissions-removed",
        "high",
        r"^\s*permissions:",
        "The token falls back to the repository's default rights, which may be everything.",
    ),
    Added(
        "gha/injection",
        "critical",
        r"\$\{\{\s*github\.(?:event\.(?:issue|pull_request|comment|review|head_commit|commits|discussion|pages|workflow_run)\b[^}]*\.(?:title|body|ref|label|message|name|email|head_branch|head_ref)|head_ref)",
        "Text that strangers write is put into the workflow: if it reaches a shell, they run commands.",
    ),
    Added(
        "gha/injection-json",
        "critical",
        rf"(?i)\$\{{\{{[^}}]*\btoJSON\(\s*github(?:\.event(?:\.(?:{_STRANGERS})(?:\.[^)]*\b(?:title|body|ref|message|name|email))?)?)?\s*\)",
        "Text that strangers write is put into a script: JSON's quotes are no shell's, and they run commands.",
        inside=r"\brun\s*:",
        beyond=r"^(?:-\s*)?env\s*:",
    ),
    Added(
        "gha/untrusted-checkout",
        "critical",
        r"\bref:\s*\$\{\{\s*github\.(?:event\.pull_request\.head|head_ref)",
        "A stranger's code is checked out: what runs after it can read every secret of the job.",
    ),
    Added(
        "gha/floating-action",
        "high",
        r"\buses:\s*[\"']?[^\s@\"']+@(?:main|master|latest|HEAD|develop|trunk|v?\d+-beta)\b",
        "The action is named by a branch that moves: its owner can run other code here at any time.",
    ),
    Added(
        "gha/unpinned-action",
        "medium",
        r"\buses:\s*[\"']?[^\s@\"'.][^\s@\"']*@v?\d[\w.\-]{0,30}[\"']?\s*(?:#.*)?$",
        "The action is named by a tag, which its owner can move.",
    ),
    Added(
        "gha/remote-code",
        "critical",
        REMOTE_CODE,
        "Code from the network is run with nothing to check it against.",
    ),
    Added(
        "gha/ignores-failure",
        "high",
        r"\b(?:continue-on-error|allow_failure|continueOnError):\s*true|\|\|\s*(?:true|:|exit\s+0)\s*[\"']?\s*$"
        r"|\bif:\s*[\"']?always\(\)|^\s*(?:-\s*)?(?:run:\s*)?set\s+\+e\b|--exit-zero\b|--exit-code[= ]0\b|"
        r"\bsoft_fail:\s*true|--passWithNoTests\b",
        "A failure no longer stops the workflow.",
    ),
    Added(
        "gha/skips-tests",
        "high",
        r"--ignore(?:-glob)?[= ]\S|--deselect[= ]|\s-k\s+[\"']?not\b|\s-m\s+[\"']not\b|--testPathIgnorePatterns\b"
        r"|-DskipTests\b|-Dmaven\.test\.skip\b|\s-skip[= ]\S|^\s*-?\s*if:\s*[\"']?(?:\$\{\{\s*)?false\b|--no-verify\b",
        "Something that was checked, or tested, is passed over.",
    ),
    Added(
        "gha/self-hosted",
        "high",
        r"\bself-hosted\b",
        "Runs inside your own network; what a job leaves behind, the next one finds.",
    ),
    Gone(
        "gha/gate-removed",
        "high",
        r"^\s*(?:environment|needs|if|concurrency|timeout-minutes):",
        "A condition, gate or bound on this job is gone or another.",
    ),
    Gone(
        "gha/check-removed",
        "high",
        r"\b(?:run|uses|name):.*\b(?:tests?|lint|scan|verify|audit|check|codeql|trivy|vet|validate|kubeval|kubeconform)\b",
        "A check is gone: what it caught can be merged.",
    ),
    Touched("gha/secret", "medium", r"\bsecrets\b", "A secret is used here."),
    Touched(
        "gha/permission",
        "medium",
        r"\bpermissions:|^\s*[a-z\-]+:\s*(?:read|none)\s*$",
        "What the token may do is set here.",
    ),
    Touched(
        "gha/trigger",
        "medium",
        r"^\s*-?\s*(?:on|push|pull_request|schedule|workflow_dispatch|workflow_call|release|branches|branches-ignore|paths|paths-ignore|tags|cron|types):",
        "When this runs is set here.",
    ),
    Touched("gha/action", "low", r"\buses:", "Whose code runs is set here."),
    Touched(
        "gha/step",
        "low",
        r"^\s*-?\s*(?:run|runs-on|environment|needs|if|shell|env|container|image|strategy|timeout-minutes|concurrency):",
        "What runs, where and when.",
    ),
)
