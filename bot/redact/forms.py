"""Secrets that are recognised by their own form, wherever they stand: vendor tokens, JWTs, password hashes.

The forms are the ones the vendors document or that their tokens visibly have. Each rule names literals that every
match contains, so that an ordinary text costs one pass over it.
"""

from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bot.redact.patterns import any_of, compile_bytes
from bot.redact.spans import Span
from bot.redact.values import looks_random


@dataclass(frozen=True, slots=True)
class Rule:
    """One form: its kind, literals of which a match contains one, and a pattern.

    The secret is group 1 where the pattern has one, else the whole match. `check` may refuse a candidate.
    `length` is that of the whole token where the vendor fixed it: such a token is found even when line breaks cut it.
    """

    kind: str
    literals: tuple[bytes, ...]
    pattern: Any
    check: Callable[[bytes], bool] | None = None
    length: int = 0


def decodes_to_login(value: bytes) -> bool:
    """Whether the value is base64 of `user:password`, which is what Basic authentication and docker send."""
    decoded = _decoded(value[:512])
    return b":" in decoded and decoded.isascii() and decoded.decode("ascii").isprintable()


def _decodes_to_private_key(value: bytes) -> bool:
    return b"PRIVATE KEY" in _decoded(value[:88])


def _decoded(value: bytes) -> bytes:
    standard = value.replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
    standard = standard[: len(standard) - (len(standard) % 4 == 1)]
    try:
        return b64decode(standard + b"=" * (-len(standard) % 4))
    except ValueError:
        return b""


def _mixed(value: bytes) -> bool:
    return any(c in b"0123456789" for c in value) and any(c not in b"0123456789-_" for c in value)


def _is_prefixed_key(value: bytes) -> bool:
    """Whether a random part follows a prefix, as vendors write their keys, that is not the prefix of an id."""
    prefix, _, rest = value.partition(b"_")
    return prefix not in _ID_PREFIXES and (looks_random(rest) or looks_random(rest.translate(None, b"_-")))


_ID_PREFIXES = frozenset(
    b"acct batch ch chatcmpl cs cus dep evt file gen id in inv job msg org pi pm prod project req request resp run "
    b"span sub task thread toolu trace user ws".split()
)
"""Prefixes of the ids that services hand out for requests and objects: of use to people, of none to a thief."""


def _rule(
    kind: str,
    literals: str,
    pattern: str,
    check: Callable[[bytes], bool] | None = None,
    *,
    length: int = 0,
) -> Rule:
    return Rule(kind, tuple(literals.encode().split()), compile_bytes(pattern.encode()), check, length)


# A left boundary for prefixes that also end ordinary words: "disk-", "task-", "cache-key-".
_ALONE = r"(?:^|[^A-Za-z0-9_\-])"

RULES: tuple[Rule, ...] = (
    _rule(
        "slack-token",
        "xoxa- xoxb- xoxc- xoxd- xoxe- xoxe. xoxo- xoxp- xoxr- xoxs-",
        r"xox[a-eoprs](?:\.xox[bp])?-[A-Za-z0-9%\-]{8,}",
    ),
    _rule("slack-token", "xapp-", r"xapp-[A-Za-z0-9\-]{10,}"),
    _rule(
        "slack-webhook",
        "hooks.slack.com hooks.slack-gov.com",
        r"hooks\.slack(?:-gov)?\.com[\\/]+(?:services|workflows|triggers)[\\/]+([A-Za-z0-9+_\-\\/]{16,})",
    ),
    _rule("teams-webhook", "webhook.office.com", r"webhook\.office\.com[\\/]+([A-Za-z0-9@_\-\\/]{30,})"),
    _rule(
        "discord-webhook",
        "webhooks/ webhooks\\",
        r"discord(?:app)?\.com[\\/]+api[\\/]+(?:v\d+[\\/]+)?webhooks[\\/]+([0-9]{10,}[\\/]+[A-Za-z0-9_\-]{40,})",
    ),
    _rule(
        "discord-token",
        "M N O",
        r"\b[MNO][A-Za-z0-9_\-]{22,27}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,}",
        _mixed,
    ),
    _rule("telegram-token", ":AA", r"\b[0-9]{8,11}:AA[A-Za-z0-9_\-]{32,}"),
    _rule("github-token", "ghp_ gho_ ghu_ ghr_", r"gh[pour]_[A-Za-z0-9]{20,}", length=40),
    _rule("github-token", "ghs_", r"ghs_[A-Za-z0-9_.\-]{19,}[A-Za-z0-9_\-]"),
    _rule("github-token", "github_pat_", r"github_pat_[A-Za-z0-9_]{20,}", length=93),
    _rule(
        "gitlab-token",
        "glpat- gldt- glrt- glrtr- glcbt- glptt- glft- glimt- glagent- glsoat- gloas- glffct- glwt-",
        r"\bgl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|oas|ffct|wt)-[A-Za-z0-9_.\-]{18,}\w",
    ),
    _rule("gitlab-token", "GR1348941", r"GR1348941[A-Za-z0-9_\-]{20,}"),
    _rule("bitbucket-token", "ATBB", r"ATBB[A-Za-z0-9_=\-]{28,}"),
    _rule("atlassian-token", "ATATT3 ATCTT3", r"AT[AC]TT3[A-Za-z0-9_=\-]{40,}"),
    _rule("slack-token", "xoxd-", r"xoxd-[A-Za-z0-9%+/=_\-]{20,}"),
    _rule("aws-key", "AKIA ASIA ABIA ACCA", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16,}", length=20),
    _rule("aws-key", "ABSK", r"ABSK[A-Za-z0-9+/=]{100,}"),
    _rule("aws-session-token", "FwoGZXIvYXdz IQoJb3JpZ2lu", r"(?:FwoGZXIvYXdz|IQoJb3JpZ2lu)[A-Za-z0-9+/=%_\-]{20,}"),
    _rule("url-signature", "Signature", r"X-(?:Amz|Goog)-Signature=([0-9A-Fa-f]{32,})"),
    _rule("azure-sas", "sig=", r"(?:^|[?&;\s\"'])sig=([A-Za-z0-9+/=%_\-]{20,})"),
    _rule(
        "azure-key",
        "ccountKey= ccountkey= SharedAccessKey= SharedAccessSignature=",
        r"(?:[Aa]ccount[Kk]ey|SharedAccessKey|SharedAccessSignature)=([^\s;\"',]{16,})",
    ),
    _rule("azure-secret", "Q~", r"\b[A-Za-z0-9_~.\-]{3}[0-9]Q~[A-Za-z0-9_~.\-]{30,34}"),
    _rule("gcp-key", "AIza", r"AIza[A-Za-z0-9_\-]{35,}", length=39),
    _rule("gcp-token", "ya29.", r"ya29\.[A-Za-z0-9_\-.]{19,}[A-Za-z0-9_\-]"),
    _rule("gcp-secret", "GOCSPX-", r"GOCSPX-[A-Za-z0-9_\-]{20,}", length=35),
    _rule("gcp-token", "1//0", r"1//0[A-Za-z0-9_\-]{30,}"),
    _rule("anthropic-key", "sk-ant-", r"sk-ant-[A-Za-z0-9_\-]{16,}"),
    _rule("api-key", "sk-", _ALONE + r"(sk-[A-Za-z0-9_\-]{18,})", _mixed),
    _rule("api-key", "gsk_ pplx- nvapi- xai-", r"\b(?:gsk_|pplx-|nvapi-|xai-)[A-Za-z0-9_\-]{32,}"),
    _rule("huggingface-token", "hf_", r"\bhf_[A-Za-z0-9]{30,}", length=37),
    _rule("replicate-token", "r8_", r"\br8_[A-Za-z0-9]{30,}"),
    _rule("stripe-key", "_live_ _test_", r"[sr]k_(?:live|test)_[A-Za-z0-9]{10,}"),
    _rule("webhook-secret", "whsec_", r"whsec_[A-Za-z0-9+/=_\-]{20,}"),
    _rule("npm-token", "npm_", r"\bnpm_[A-Za-z0-9]{36,}", length=40),
    _rule("pypi-token", "pypi-", r"pypi-[A-Za-z0-9_\-]{50,}"),
    _rule("rubygems-key", "rubygems_", r"rubygems_[0-9a-f]{48}", length=57),
    _rule("docker-token", "dckr_", r"dckr_(?:pat|oat)_[A-Za-z0-9_\-]{20,}"),
    _rule("sendgrid-key", "SG.", r"\bSG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}"),
    _rule("mailgun-key", "key-", _ALONE + r"(key-[0-9a-f]{32})\b"),
    _rule("mailchimp-key", "-us", r"\b[0-9a-f]{32}-us[0-9]{1,2}\b"),
    _rule("twilio-key", "SK", r"\bSK[0-9a-fA-F]{32}\b"),
    _rule("newrelic-key", "NRAK- NRII- NRAA- NRJS-", r"NR(?:AK|II|AA|JS)-[A-Za-z0-9_\-]{19,}"),
    _rule("newrelic-key", "NRAL", r"\b[0-9A-Za-z]{28,36}NRAL\b"),
    _rule("datadog-key", "ddapp_ ddpat_ ddapikey_", r"\bdd(?:app|pat|apikey)_[A-Za-z0-9]{30,}"),
    _rule("grafana-token", "glsa_ glc_", r"\b(?:glsa|glc)_[A-Za-z0-9+/=_]{28,}"),
    _rule("vault-token", "hvs. hvb. hvr.", r"\bhv[sbr]\.[A-Za-z0-9_\-]{20,}"),
    _rule("vault-token", "s.", _ALONE + r"(s\.[A-Za-z0-9]{24})(?:$|[^A-Za-z0-9._\-])", _mixed),
    _rule("terraform-token", ".atlasv1.", r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=\-]{50,}"),
    _rule("digitalocean-token", "_v1_", r"\bdo[opr]_v1_[0-9a-f]{64}", length=71),
    _rule(
        "doppler-token",
        "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.",
        r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.\-]{30,}",
    ),
    _rule("databricks-token", "dapi", r"\bdapi[0-9a-f]{32}(?:-[0-9])?", length=36),
    _rule("shopify-token", "shpat_ shpca_ shppa_ shpss_ shptka_ shpua_", r"shp(?:at|ca|pa|ss|tka|ua)_[0-9a-fA-F]{32}"),
    _rule("square-token", "sq0atp- sq0csp- sq0idp-", r"\bsq0(?:atp|csp|idp)-[A-Za-z0-9_\-]{22,}"),
    _rule("linear-key", "lin_", r"\blin_(?:api|oauth)_[A-Za-z0-9]{32,}"),
    _rule("notion-token", "ntn_ secret_", r"\b(?:ntn|secret)_[A-Za-z0-9]{40,}"),
    _rule("figma-token", "figd_", r"figd_[A-Za-z0-9_\-]{30,}"),
    _rule("postman-key", "PMAK-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    _rule("sentry-token", "sntry", r"sntry[su]_[A-Za-z0-9+/=_]{40,}"),
    _rule("planetscale-token", "pscale_", r"pscale_(?:tkn|pw|oauth|otkn)_[A-Za-z0-9_.=\-]{30,}"),
    _rule("supabase-key", "sbp_ sb_secret_", r"\bsb(?:p|_secret)_[A-Za-z0-9_\-]{20,}"),
    _rule("fly-token", "FlyV1 fo1_ fm1 fm2", r"\b(?:fo1|fm1[ar]|fm2)_[A-Za-z0-9+/=_\-]{40,}"),
    _rule("onepassword-token", "ops_eyJ", r"ops_eyJ[A-Za-z0-9+/=_\-]{40,}"),
    _rule("pulumi-token", "pul-", r"\bpul-[0-9a-f]{40}"),
    _rule("circleci-token", "CCIP", r"CCIP(?:AT|RJ)_[A-Za-z0-9_]{40,}"),
    _rule("buildkite-token", "bkua_ bkps_", r"\bbk(?:ua|ps)_[A-Za-z0-9_]{40,}"),
    _rule("tailscale-key", "tskey-", r"tskey-[a-z]+-[A-Za-z0-9_\-]{16,}"),
    _rule("heroku-key", "HRKU-", r"HRKU-[A-Za-z0-9_\-]{30,}"),
    _rule("airtable-token", "pat", r"\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    _rule("dynatrace-token", "dt0a dt0c dt0s", r"\bdt0[acs][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    _rule("sonar-token", "sqp_ sqa_ squ_", r"\bsq[pau]_[0-9a-f]{40}"),
    _rule("artifactory-key", "AKCp", r"\bAKCp[A-Za-z0-9]{60,}"),
    _rule("cloudflare-key", "v1.0-", r"\bv1\.0-[0-9a-f]{24}-[0-9a-f]{100,}"),
    _rule("age-key", "AGE-SECRET-KEY-", r"AGE-SECRET-KEY-[0-9A-Z]{50,}"),
    _rule("openshift-token", "sha256~", r"\bsha256~[A-Za-z0-9_\-]{40,}"),
    _rule("aws-key", "bedrock-api-key-", r"bedrock-api-key-[A-Za-z0-9+/=]{20,}"),
    _rule("alibaba-key", "LTAI", r"\bLTAI[A-Za-z0-9]{17,}", _mixed),
    _rule("swarm-token", "SWMTKN- SWMKEY-", r"SWM(?:TKN|KEY)-1-[A-Za-z0-9+/\-]{40,}"),
    _rule("onepassword-key", "A3-", r"\bA3-[A-Z0-9]{6}-[A-Z0-9\-]{22,}"),
    _rule("gcp-key", "AQ.Ab8RN6", r"AQ\.Ab8RN6[A-Za-z0-9_\-]{30,}"),
    _rule("artifactory-key", "cmVmd", r"\bcmVmd[A-Za-z0-9]{59}"),
    _rule("astra-token", "AstraCS:", r"AstraCS:[A-Za-z0-9:]{20,}"),
    _rule("bitbucket-token", "BBDC-", r"BBDC-[A-Za-z0-9+/]{40,}"),
    _rule("brevo-key", "xkeysib- xsmtpsib-", r"x(?:key|smtp)sib-[A-Za-z0-9\-]{60,}"),
    _rule("clojars-token", "CLOJARS_", r"CLOJARS_[a-z0-9]{60}"),
    _rule("cockroach-key", "CCDB1_", r"CCDB1_[A-Za-z0-9_]{60,}"),
    _rule("cloudflare-key", "cfat_ cfut_ cfk_", r"\bcf(?:at|ut|k)_[A-Za-z0-9]{40,}"),
    _rule("easypost-key", "EZAK EZTK", r"\bEZ[AT]K[A-Za-z0-9]{54}"),
    _rule("fly-token", "FlyV1", r"FlyV1 [A-Za-z0-9+/=_,\-]{40,}"),
    _rule("flutterwave-key", "FLWSECK", r"FLWSECK[_-][A-Za-z0-9\-]{12,}"),
    _rule("grafana-token", "eyJrIjoi", r"eyJrIjoi[A-Za-z0-9+/=]{40,}"),
    _rule("harness-key", "pat.", r"\bpat\.[A-Za-z0-9_\-]{22}\.[0-9a-f]{24}\.[A-Za-z0-9]{20}"),
    _rule("jwt", "ZXlKaGJHY2lPaU", r"ZXlKaGJHY2lPaU[A-Za-z0-9+/=_\-]{20,}"),
    _rule("mailersend-token", "mlsn.", r"\bmlsn\.[a-f0-9]{60,}"),
    _rule("octopus-key", "API-", r"\bAPI-[A-Z0-9]{26}\b"),
    _rule("square-token", "EAAA", r"\bEAAA[A-Za-z0-9_\-]{56,}"),
    _rule("session-cookie", "_session=", r"_session=([A-Za-z0-9%_\-]{32,})"),
    _rule(
        "api-key",
        "_",
        _ALONE + r"([a-z][a-z0-9]*_[A-Za-z0-9_\-]{16,})",
        _is_prefixed_key,
    ),
    _rule(
        "jwt",
        "eyJ",
        r"eyJ[A-Za-z0-9_\-]{8,}\.(?:[A-Za-z0-9_\-]{4,}|\.[A-Za-z0-9_\-]{4,})(?:\.[A-Za-z0-9_\-]+)*",
    ),
    _rule(
        "private-key",
        "LS0tLS1CRUdJTi",
        r"LS0tLS1CRUdJTi[A-Za-z0-9+/=_\-]{20,}",
        _decodes_to_private_key,
    ),
    _rule("password-hash", "$", r"\$(?:2[abxy]|1|5|6|y|argon2i?d?)\$[A-Za-z0-9./$=,+\-]{20,}"),
)

# Most rules have a literal that no ordinary text contains: one pass for all of those literals settles them together.
_RARE = tuple(rule for rule in RULES if all(len(literal) >= 4 for literal in rule.literals))
_COMMON = tuple(rule for rule in RULES if rule not in _RARE)
_RARE_LITERALS = any_of(sorted({literal for rule in _RARE for literal in rule.literals}))
_FIXED = tuple(rule for rule in _RARE if rule.length)


def find_tokens(data: bytes) -> Iterator[Span]:
    """Yield every secret in these lines whose own form gives it away."""
    if _RARE_LITERALS.search(data) is not None:
        yield from _find(data, _RARE)
    yield from _find(data, _COMMON)


def find_fixed_tokens(joined: bytes) -> Iterator[Span]:
    """Yield those of a known length in a text whose line breaks were taken out, and no byte beyond that length."""
    if _RARE_LITERALS.search(joined) is not None:
        for rule in _FIXED:
            for span in _find(joined, (rule,)):
                yield span._replace(end=min(span.end, span.start + rule.length))


def _find(data: bytes, rules: tuple[Rule, ...]) -> Iterator[Span]:
    for rule in rules:
        if not any(literal in data for literal in rule.literals):
            continue
        group = min(rule.pattern.groups, 1)
        for match in rule.pattern.finditer(data):
            start, end = match.span(group)
            if rule.check is None or rule.check(data[start:end]):
                yield Span(start, end, rule.kind, precise=True)
