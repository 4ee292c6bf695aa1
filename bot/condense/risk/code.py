"""Risk rules for program code and scripts: what fails, waits, trusts or forgets otherwise than before."""

from __future__ import annotations

import re
from typing import Final

from bot.condense.risk.rule import Added, Gone, Rule, Touched
from bot.condense.risk.shell import REMOTE_CODE

PATHS: Final = re.compile(
    r"\.(?:py|pyi|go|js|mjs|cjs|ts|jsx|tsx|java|kt|kts|rb|rs|php|cs|c|cc|cpp|h|hpp|swift|scala|groovy|sh|bash|zsh|ps1|pl|lua|ex|exs|proto|toml|cfg|ini|conf|properties|env)$"
    r"|(?:^|/)(?:Makefile|Jenkinsfile|Rakefile|Gemfile|Procfile|go\.mod|package\.json|requirements[^/]*\.txt|\.env[^/]*|crontab|nginx[^/]*)$",
    re.I,
)

RULES: Final[tuple[Rule, ...]] = (
    Gone(
        "code/test-removed",
        "high",
        r"^\s*(?:async\s+)?def\s+test_\w+|^\s*func\s+Test\w+"
        r"|^\s*(?:it|test|describe)\s*\(\s*[\"'`][^\"'`]{1,80}|@Test\b|#\[(?:tokio::)?test\]"
        r"|^\s*(?:it|specify|describe|context|scenario|feature)\s+[\"'][^\"']{1,80}"
        r"|^\s*\[(?:Fact|Theory|Test|TestCase|TestMethod)\b|\bfunction\s+test\w+",
        "A test is gone: what it caught is caught no more.",
        beyond=r"^(?:async\s+)?def\s|^(?:async\s+)?function\b|^func\s|^class\s+(?!Test)\w+\s*:|^if\s+__name__\b",
    ),
    Gone(
        "code/test-assertion-removed",
        "medium",
        r"^\s*assert\b|\bself\.assert\w+\s*\(|\bexpect\s*\(|\b(?:assert|require)\.\w+\s*\(|\bpytest\.raises\s*\("
        r"|\bt\.(?:Errorf?|Fatalf?|Fail|FailNow)\s*\(|^\s*assert\w*\s*\(|\bAssert\.\w+\s*\(",
        "A check is gone from what stays: it passes where it failed before.",
        through=r"^[}\s]*(?:if|else|elif|for|while|with|try|switch|case|async\s+(?:with|for))\b",
    ),
    Added(
        "code/test-skipped",
        "high",
        r"@(?:pytest\.mark\.|unittest\.)?(?:skip|xfail|Disabled|Ignore)\w*\b|\bt\.Skip\w*\("
        r"|\b(?:it|test|describe)\.(?:skip|only|todo)\s*\(|\bx(?:it|describe)\s*\(|^\s*f(?:it|describe)\s*\(\s*[\"'`]|#\[ignore|\bpytest\.skip\s*\("
        r"|--ignore(?:-glob)?[= ]\S*tests?\b|--deselect[= ]|\bcollect_ignore(?:_glob)?\b|\btestPathIgnorePatterns\b"
        r"|-DskipTests\b|-Dmaven\.test\.skip\b",
        "A test, or all but one, no longer runs.",
    ),
    Gone(
        "code/guard-removed",
        "high",
        r"(?i)\b(?:authenticat|authoriz|permission|is_admin|require_login|login_required|csrf|verify|validate|sanitiz|escape|compare_digest|check_password|rate_?limit|limiter|throttl)\w*"
        r"|\b(?:is|requires?|required|ensure|check|has|must|assert|with)_?(?:be_?)?(?:auth|admin|logged|login|role|access|owner|staff|superuser|scope|permission)\w*"
        r"|\b(?:return|raise|throw|abort|status|sendstatus|writeheader|error|response|halt)\b.*\b40[13]\b"
        r"|\b(?:Status)?(?:Unauthorized|Forbidden|PermissionDenied|AccessDenied)\w*",
        "A check of who asks, or of what is asked, is gone.",
    ),
    Added(
        "code/unchecked-tls",
        "critical",
        r"(?i)\bverify\s*=\s*False\b|InsecureSkipVerify\s*:\s*true|rejectUnauthorized\s*:\s*false"
        r"|\bCERT_NONE\b|_create_unverified_context|check_hostname\s*=\s*False|--insecure\b"
        r"|StrictHostKeyChecking[=\s]no",
        "The other side may be anyone.",
    ),
    Added(
        "code/runs-text",
        "high",
        r"\b(?:eval|exec)\s*\(|\bos\.system\s*\(|\bshell\s*=\s*True\b|\bpickle\.loads?\s*\("
        r"|\byaml\.(?:unsafe_)?load\s*\(|child_process|\bRuntime\.getRuntime\(\)\.exec|dangerouslySetInnerHTML"
        r"|\bmark_safe\s*\(",
        "Text becomes code or a command: if a stranger can write it, they run it.",
    ),
    Added(
        "code/remote-code",
        "critical",
        REMOTE_CODE,
        "Code from the network is run with nothing to check it against.",
    ),
    Added(
        "code/deletes",
        "high",
        r"\brm\s+-\w*[rf]\w*\s|\bshutil\.rmtree\s*\(|\bos\.RemoveAll\s*\(|\bkubectl\s+delete\b"
        r"|\bterraform\s+destroy\b|\bhelm\s+(?:uninstall|delete)\b|\bDROP\s+(?:TABLE|DATABASE)\b"
        r"|\bgit\s+push\s+(?:-f|--force)\b|\.delete_many\s*\(|\.objects\.all\(\)\.delete\(",
        "Things are deleted here.",
    ),
    Added(
        "code/swallows",
        "high",
        r"^\s*except\s*(?:(?:Base)?Exception)?\s*(?:as \w+)?:\s*(?:pass|continue|return)?\s*$"
        r"|\bcatch\s*(?:\([^)]*\))?\s*\{\s*\}|\b_\s*=\s*err\b|\brescue\s*(?:=>\s*\w+)?\s*(?:nil)?$|\bset \+e\b"
        r"|\|\|\s*true\s*$",
        "A failure may go unnoticed.",
    ),
    Gone(
        "code/index-removed",
        "high",
        r"\b(?:Column|mapped_column|Field)\s*\(.*\b((?:index|unique|primary_key)\s*=\s*True)\b",
        "An index or a rule that kept the data sound is no longer declared.",
    ),
    Gone(
        "code/handling-removed",
        "medium",
        r"^\s*(?:except|catch|rescue|finally|defer)\b|\bif err != nil\b|\braise\s+\w+|\bset -[euo]+",
        "A way of dealing with failure is gone or another.",
    ),
    Gone(
        "code/bound-removed",
        "high",
        r"(?i)\b(?:connect_?|read_?|request_?)?timeouts?\b|\bdeadline\b|\bretr(?:y|ies)\b|\bbackoff\b"
        r"|\bcircuit_?breaker\b|\bmax_(?:retries|attempts|connections|size|length)\b|\bLIMIT\s+\d"
        r"|\b(?:WithTimeout|WithDeadline)\b",
        "A bound on waiting, trying or size is gone: one slow part can stop all.",
    ),
    Gone(
        "code/lock-removed",
        "high",
        r"(?i)\b(?:lock|mutex|atomic|transaction|select_for_update|synchronized|semaphore)\w*\b",
        "What kept two from doing it at once is gone.",
    ),
    Gone(
        "code/signal-removed",
        "medium",
        r"(?i)\b(?:log(?:ger|ging)?|metrics?|counter|histogram|tracer|sentry)\.\w+",
        "Something that told what happens is gone.",
    ),
    Gone(
        "code/public-removed",
        "medium",
        r"^\s*(?:export\s+(?:default\s+)?(?:async\s+)?(?:function|class|const)|(?:async\s+)?def\s+[a-z]\w*|class\s+[A-Z]\w*|func\s+(?:\([^)]*\)\s*)?[A-Z]\w*|public\s+\w+|pub\s+(?:fn|struct|enum|trait))[\s(]*\w*",
        "A name that others may use is gone, or looks different.",
    ),
    Added(
        "code/waits",
        "medium",
        r"\b(?:time\.sleep|Thread\.sleep|setTimeout|sleep)\s*\(?|\bwhile\s+(?:True|true|1)\b|\bfor\s*\{\s*$"
        r"|\btimeout\s*=\s*None\b",
        "It waits or repeats here, maybe without end.",
    ),
    Added(
        "code/starts-others",
        "medium",
        r"\bsubprocess\.\w+\s*\(|\bthreading\.Thread\s*\(|\bgo\s+func\b|\basyncio\.create_task\s*\("
        r"|\bmultiprocessing\b|\bexec\.Command\s*\(",
        "It starts something that must end, and may fail, elsewhere.",
    ),
    Added(
        "code/credential",
        "high",
        r"(?i)\b(?:password|passwd|secret|api_?key|access_?key|private_?key|auth_?token)\w*\s*[:=]\s*[\"'][^\"'\s]{6,}",
        "It looks like a credential in the source.",
    ),
    Added(
        "code/open",
        "high",
        r"\b0\.0\.0\.0\b|(?i:allow_origins?\s*=\s*\[?\s*[\"']\*|Access-Control-Allow-Origin.*\*)"
        r"|\bDEBUG\s*=\s*True\b|\bchmod\s+(?:-R\s+)?[0-7]?777\b",
        "It is open to more than before.",
    ),
    Touched(
        "code/dependency",
        "medium",
        r"^\s*[\"']?[\w@/.\-\[\]]+[\"']?\s*(?:==|~=|>=|<=|!=|:\s*[\"'][\^~]?\d)"
        r"|^\s*(?:require|replace|exclude|go|toolchain)\s+\S|^\s*(?:requires-python|dependencies|engines)\b",
        "Which code of others is used is set here.",
    ),
    Touched(
        "code/failure",
        "medium",
        r"^\s*(?:raise|throw|panic\(|except|catch|return\s+err|rescue)\b|\bif err != nil\b|\bpanic\(",
        "What happens on failure is set here.",
    ),
    Touched(
        "code/bound",
        "medium",
        r"(?i)\b(?:timeout|deadline|retry|retries|backoff|max_\w+|ttl|interval|pool_size|concurrency|rate_limit)\w*\s*[:=]",
        "A bound on time, size or number is set here.",
    ),
    Touched(
        "code/access",
        "medium",
        r"(?i)\b(?:auth|permission|token|secret|password|credential|cookie|csrf|session|encrypt|decrypt|signature|hmac|tls|ssl|certificate)\w*\s*[:=(.]",
        "Who may do what, or how it is kept secret, is decided here.",
    ),
    Touched(
        "code/data",
        "medium",
        r"(?i)\b(?:execute|commit|rollback|cursor|transaction|save|delete|update|insert|query)\s*\(",
        "Data is read or changed here.",
    ),
    Touched(
        "code/setting",
        "low",
        r"\bos\.(?:environ|getenv)\b|\bprocess\.env\b|\bos\.Getenv\b|^\s*[A-Z][A-Z0-9_]{3,}\s*[:=]|\bENV\[",
        "A setting is read or given here.",
    ),
)
