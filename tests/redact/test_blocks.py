"""Secrets that take several lines: `«»` marks in each text what is taken out."""

from base64 import b64encode
from random import Random

import pytest

from bot.redact.blocks import find_blocks, find_wrapped
from bot.redact.forms import find_fixed_tokens
from bot.redact.held import Held

BEGIN, END = "-----BEGIN RSA " + "PRIVATE KEY-----", "-----END RSA " + "PRIVATE KEY-----"
BODY = b64encode(Random(7).randbytes(144)).decode()
BODY_LINES = "\n".join(BODY[n : n + 64] for n in range(0, len(BODY), 64))
AWS_ID, AWS_SECRET = "AKIA" + "ABCDEFGH" * 2, "wJa1rXUtnFEMI/K7MDENG+bP" + "xRfiCYabcdefgh12"


def marked(text: str) -> str:
    """The text with every span that was found in it marked."""
    data = text.encode()
    for span in sorted(find_blocks(data), key=lambda s: s.start, reverse=True):
        data = data[: span.start] + "«".encode() + data[span.start : span.end] + "»".encode() + data[span.end :]
    return data.decode()


FOUND = {
    "pem": f"a\n«{BEGIN}\n{BODY_LINES}\n{END}»\nb",
    "pem indented in YAML": f"key: x\n  «{BEGIN}\n  {BODY[:64]}\n  {BODY[64:]}\n  {END}»\nb: 1",
    "pem in JSON": f'{{"private_key":"«{BEGIN}\\n{BODY}\\n{END}»\\n","x":1}}',
    "pem in a diff": f"+«{BEGIN}\n+{BODY[:64]}\n+{BODY[64:]}\n+{END}»\n context",
    "pem with a prefix on each line": f"12:00 «{BEGIN}\n12:00 {BODY}\n12:00 {END}» done",
    "pem without its end": f"«{BEGIN}\n{BODY_LINES}»\n\nnext, a log line",
    "pem without its end, cut within a line": f"«{BEGIN}\n{BODY[:64]}\n{BODY[64:71]}»",
    "two keys, the first without its end": f"«{BEGIN}\n{BODY}»\nthen «{BEGIN}\n{BODY}\n{END}»\n",
    "aws pair": f"{AWS_ID}\n«{AWS_SECRET}»\n",
    "environment entry": "env:\n- name: DB_PASSWORD\n  value: «hunter2»\n- name: MODE\n  value: fast",
    "environment entry in JSON": '{"name": "API_TOKEN", "value": "«abc123»"}, {"name": "MODE", "value": "fast"}',
    "flag": "run --password «hunter2» --verbose",
    "flag in a list": 'args: ["--token", "«abc123»", "--port", "80"]',
    "flag in YAML": "args:\n- --api-key\n- «abc123»\n- --port\n- 80",
    "block scalar": "password: |\n  «first line\n  second line»\nnext: 1",
    "manifest": "kind: Secret\ndata:\n  user: «Ym9i»\n  «password»: x".replace(
        "«password»: x", "password: «aHVudGVyMg==»"
    ),
    "manifest with quotes": "kind: Secret\nstringData:\n  a: \"«it's»\"\n  b: «it's # all»\n  c: '«it''s»'\n",
    "manifest, data first": "apiVersion: v1\ndata:\n  a: «Ym9i»\nkind: Secret\nmetadata:\n  name: db\n",
    "manifest in a diff": "+kind: Secret\n+stringData:\n+  a: «hunter2»\n+metadata:\n+  name: db",
    "manifest of one of two items": (
        "items:\n- apiVersion: v1\n  data:\n    a: «Ym9i»\n  kind: Secret\n"
        "- apiVersion: v1\n  data:\n    a: plain\n  kind: ConfigMap\n"
    ),
    "two manifests and a config map": (
        "kind: Secret\ndata:\n  a: «Ym9i»\n---\nkind: ConfigMap\ndata:\n  a: plain\n"
        "---\ndata:\n  a: «Ym9i»\nkind: Secret\n"
    ),
    "manifest in JSON": '{"kind":"Secret","data":{"a":"«Ym9i»","b":"«e30=»"},"type":"Opaque"}',
    "manifest in pretty JSON": '{\n  "data": {\n    "a": "«Ym9i»"\n  },\n  "kind": "Secret"\n}',
    "manifest in an annotation": '"x": "{\\"data\\":{\\"a\\":\\"«Ym9i»\\"},\\"kind\\":\\"Secret\\"}\\n"',
    "manifest with JSON inside": '{"kind":"Secret","stringData":{"c.json":"«{\\"a\\":{}}»","d":"«x1»"}}',
}

LEFT = {
    "certificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "public key": "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
    "config map": "kind: ConfigMap\ndata:\n  a: plain",
    "mention of a Secret": "involvedObject:\n  kind: Secret\n  name: db\nmessage: not found",
    "volumes": "volumes:\n- name: token\n  secret:\n    secretName: db\n",
    "label": "- name: MODE\n  value: fast",
    "hyphens": "checkout-secret mounted, my-token rotated --dry-run",
}


@pytest.mark.parametrize("name", FOUND)
def test_found(name: str) -> None:
    assert marked(FOUND[name].replace("«", "").replace("»", "")) == FOUND[name]


@pytest.mark.parametrize("name", LEFT)
def test_left(name: str) -> None:
    assert marked(LEFT[name]) == LEFT[name]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\n    "])
@pytest.mark.parametrize("cut", [2, 5, 20, 39])
def test_a_token_of_known_length_is_found_across_a_line_break(cut: int, line_break: str) -> None:
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    data = f"x {token[:cut]}{line_break}{token[cut:]} y".encode()
    (span,) = find_wrapped(data, find_fixed_tokens)
    assert data[span.start : span.end].decode() == token[:cut] + line_break + token[cut:]


def test_a_token_that_ends_its_line_does_not_swallow_the_next() -> None:
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    assert list(find_wrapped(f"{token}\nnext".encode(), find_fixed_tokens)) == []


def test_a_held_secret_is_found_in_wrapped_base64() -> None:
    secret = "a secret that the bot itself holds"
    blob = b64encode(b"x" * 50 + secret.encode()).decode()
    data = f"{blob[:76]}\n{blob[76:]}".encode()
    assert list(find_wrapped(data, Held([secret]).find))
