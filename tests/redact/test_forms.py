"""Tokens that their own form gives away; every sample is made up at run time, so none is committed."""

import re
from base64 import b64encode
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.redact.forms import RULES, Rule, decodes_to_login, find_fixed_tokens, find_tokens

LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
DIGITS = "0123456789"
ALNUM = LOWER + UPPER + DIGITS
HEX = DIGITS + "abcdef"


def made(length: int, alphabet: str = ALNUM) -> str:
    """A body that looks like a real one; the last characters make sure that digits and letters are both there."""
    random = Random(length)
    tail = "7b" if set("7b") <= set(alphabet) else ""
    return "".join(random.choice(alphabet) for _ in range(length - len(tail))) + tail


def jwt() -> str:
    parts = (b'{"alg":"RS256","typ":"JWT"}', b'{"sub":"1234567890","name":"Dana"}', b"signature-bytes-signature-bytes")
    return ".".join(b64encode(part).decode().rstrip("=") for part in parts)


SAMPLES = [
    ("slack-token", "xoxb-" + "123456789012-" + made(24)),
    ("slack-token", "xoxp-" + "1-2-3-" + made(32, HEX)),
    ("slack-token", "xoxe.xoxp-1-" + made(60)),
    ("slack-token", "xapp-1-A0-" + made(40, HEX)),
    ("slack-webhook", "https://hooks.slack.com/services/" + "T0AB/B0CD/" + made(24)),
    ("teams-webhook", "https://shop.webhook.office.com/webhookb2/" + made(60)),
    ("discord-webhook", "https://discord.com/api/webhooks/" + made(18, DIGITS) + "/" + made(68)),
    ("discord-token", "M" + made(25) + "." + made(6) + "." + made(38)),
    ("telegram-token", made(10, DIGITS) + ":AA" + made(33)),
    ("github-token", "ghp_" + made(36)),
    ("github-token", "ghs_" + made(36)),
    ("github-token", "ghs_" + "12345_" + jwt()),
    ("github-token", "github_pat_" + made(22) + "_" + made(59)),
    ("gitlab-token", "glpat-" + made(20)),
    ("gitlab-token", "glrt-" + made(20)),
    ("bitbucket-token", "ATBB" + made(32)),
    ("atlassian-token", "ATATT3" + made(180)),
    ("aws-key", "AKIA" + made(16, UPPER + "234567")),
    ("aws-key", "ASIA" + made(16, UPPER + "234567")),
    ("aws-session-token", "IQoJb3JpZ2lu" + made(200)),
    ("url-signature", "X-Amz-Signature=" + made(64, HEX)),
    ("azure-sas", "?sv=2024&sig=" + made(40) + "%3D"),
    ("azure-key", "AccountName=shop;AccountKey=" + made(86) + "==;Endpoint=x"),
    ("azure-secret", "abc8Q~" + made(34)),
    ("gcp-key", "AIza" + made(35)),
    ("gcp-token", "ya29." + made(60)),
    ("gcp-secret", "GOCSPX-" + made(28)),
    ("anthropic-key", "sk-ant-api03-" + made(95)),
    ("api-key", "sk-proj-" + made(48)),
    ("api-key", "sk-" + made(48)),
    ("api-key", "gsk_" + made(52)),
    ("api-key", "vcp_" + made(56)),
    ("api-key", "acme_live_" + made(40)),
    ("swarm-token", "SWMTKN-1-" + made(50, LOWER + DIGITS) + "-" + made(25, LOWER + DIGITS)),
    ("brevo-key", "xkeysib-" + made(64, HEX) + "-" + made(16)),
    ("fly-token", "FlyV1 fm2_" + made(60)),
    ("octopus-key", "API-" + made(26, UPPER + DIGITS)),
    ("session-cookie", "_gitlab_session=" + made(32, HEX)),
    ("huggingface-token", "hf_" + made(34)),
    ("stripe-key", "sk_live_" + made(24)),
    ("stripe-key", "rk_test_" + made(24)),
    ("webhook-secret", "whsec_" + made(32)),
    ("npm-token", "npm_" + made(36)),
    ("pypi-token", "pypi-AgEI" + made(150)),
    ("docker-token", "dckr_pat_" + made(27)),
    ("sendgrid-key", "SG." + made(22) + "." + made(43)),
    ("mailgun-key", "key-" + made(32, HEX)),
    ("mailchimp-key", made(32, HEX) + "-us12"),
    ("twilio-key", "SK" + made(32, HEX)),
    ("newrelic-key", "NRAK-" + made(27)),
    ("grafana-token", "glsa_" + made(32) + "_" + made(8, HEX)),
    ("vault-token", "hvs." + made(90)),
    ("vault-token", "s." + made(24)),
    ("terraform-token", made(14) + ".atlasv1." + made(67)),
    ("digitalocean-token", "dop_v1_" + made(64, HEX)),
    ("databricks-token", "dapi" + made(32, HEX)),
    ("shopify-token", "shpat_" + made(32, HEX)),
    ("sentry-token", "sntrys_" + made(80)),
    ("tailscale-key", "tskey-auth-" + made(30)),
    ("age-key", "AGE-SECRET-KEY-1" + made(58, UPPER + DIGITS)),
    ("openshift-token", "sha256~" + made(43)),
    ("jwt", jwt()),
    ("private-key", b64encode(b"-----BEGIN RSA PRIVATE KEY-----\nMIIE").decode()),
    ("password-hash", "$2b$12$" + made(53)),
]


@pytest.mark.parametrize(("kind", "sample"), SAMPLES, ids=[f"{kind}-{n}" for n, (kind, _) in enumerate(SAMPLES)])
@pytest.mark.parametrize("line", ["{}", "got {} from env", '{{"x":"{}"}}', "x={},y=1", "<{}>", "('{}')\n"])
def test_a_token_is_found_in_a_line(kind: str, sample: str, line: str) -> None:
    data = line.format(sample).encode()
    assert kind in {span.kind for span in find_tokens(data)}


@pytest.mark.parametrize("rule", RULES, ids=[f"{rule.kind}-{n}" for n, rule in enumerate(RULES)])
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_a_pattern_matches_contains_one_of_the_rules_literals(rule: Rule, data: st.DataObject) -> None:
    """Otherwise the rule would never be asked."""
    pattern = rule.pattern.pattern.decode().replace(r"\s", r"\t\n\f\r ")  # RE2's white space has no vertical tab
    text = data.draw(st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True)).encode()
    assert any(literal in text for literal in rule.literals)
    assert rule.pattern.search(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "commit 4bf92f3577b34da6a3ce929d0e0e47364bf92f35",
        "image: ghcr.io/shop/checkout@sha256:" + "0123456789abcdef" * 4,
        "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7",
        "uid: 6f1c1f9e-7d9f-4b6c-8d2e-0123456789ab",
        "pod/checkout-7d9f8b6c5d-x2x4z pod/disk-usage-exporter-5d4f8c7b9-abcde task-runner-01234567890123456789",
        'resourceVersion: "184467440737"',
        "/var/lib/kubelet/pods/6f1c1f9e-7d9f-4b6c-8d2e-0123456789ab/volumes/kubernetes.io~secret/db",
        "see https://docs.example.com/api/webhooks/ for the AKIA prefix, or eyJ",
        "request_id=req_011CSHoEeqs5C35K2UUqR7Fy customer cus_9s6XKzkNRiz8i3abCD12",
        "shared-lint-node_modules-v6-X64-Linux-4ca97bc4dfaa13a9d1ec5bc2e36da23d test_reads_two_lines_of_the_log",
        "us-east-1 eu-us-2 SKIPPED SG.1 s.example glibc-2.39 npm_config_registry",
    ],
)
def test_ordinary_identifiers_are_no_tokens(text: str) -> None:
    assert list(find_tokens(text.encode())) == []


def test_only_the_secret_part_of_a_webhook_address_is_one() -> None:
    data = ("POST https://hooks.slack.com/services/T0AB/B0CD/" + made(24) + " 404").encode()
    (span,) = find_tokens(data)
    assert data[: span.start] == b"POST https://hooks.slack.com/services/"
    assert data[span.end :] == b" 404"


def test_a_token_of_known_length_ends_there_when_lines_were_joined() -> None:
    token = "ghp_" + made(36)
    (span,) = find_fixed_tokens((token + "2026-11-21").encode())
    assert (span.start, span.end) == (0, 40)


def test_basic_credentials_are_told_from_words_by_decoding_them() -> None:
    assert decodes_to_login(b64encode(b"bob:" + made(9).encode()))
    assert not decodes_to_login(b"authentication")
    assert not decodes_to_login(b64encode(b"\xff\xfe:\x00"))
    assert not decodes_to_login(b"=")
