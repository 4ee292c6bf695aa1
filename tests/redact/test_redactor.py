"""What leaves the process holds no secret, stays readable, and comes at a bounded price."""

import base64
import io
import json
import logging
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
import structlog
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.redact import Redactor
from bot.redact.redactor import MAX_DEPTH
from bot.redact.spans import PLACEHOLDER

KEY = b"a key for tests"
HELD = "h3ld-by: the/bot&itself"
PLAIN = Redactor(key=KEY)
REDACTOR = Redactor([HELD], key=KEY)

BASE62 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def body(length: int) -> st.SearchStrategy[str]:
    return st.text(BASE62, min_size=length, max_size=length)


# Forms so distinctive that they are found even when letters touch them.
ANYWHERE = st.one_of(
    body(24).map(lambda b: "xoxb-" + "1234567890-" + b),
    body(36).map(lambda b: "ghp_" + b),
    body(59).map(lambda b: "github_pat_" + b),
    body(90).map(lambda b: "sk-ant-api03-" + b),
    body(35).map(lambda b: "AIza" + b),
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=16, max_size=16).map(lambda b: "AKIA" + b),
    body(60).map(lambda b: "eyJ" + b[:20] + ".eyJ" + b[20:40] + "." + b[40:]),
    st.just(HELD),
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=60)
NASTY = st.lists(
    st.sampled_from(
        ["password", "token", "=", ":", '"', "'", "\\", "\n", " ", "  ", "[token:0a1b2c]", "[", "]", "://", "@", "a:b",
         "Bearer ", "Authorization: ", "kind: Secret\n", "data:\n", "  x: ", "|\n", "-----BEGIN PRIVATE " + "KEY-----",
         "xoxb-12345678-ab", "eyJhbGciOiJ9.", "AKIA", "value", "name: ", "{", "}", "ä", "\x00", "\x01", "\ud800", "--",
         "key", "Xk9fQ2mZ7tR4vB8nW1cY6", "hunter2", "&", ",", HELD, "curl -u ", "<", "</", ">", "%3D", "(", "\r\n", ";"]
    ),
    max_size=14,
).map("".join)  # fmt: skip


def test_a_secret_that_comes_later_is_known_from_then_on_and_the_last_few_stay_known() -> None:
    redactor = Redactor(key=KEY)
    tokens = [f"rotated-token-number-{number}" for number in range(6)]
    assert redactor.text(tokens[0]) == tokens[0]
    for token in tokens:
        redactor.hold("cluster", [token])
        redactor.hold("cluster", [token])
        assert redactor.text(token).startswith("[held-secret:")
    assert [redactor.text(token) == token for token in tokens] == [True, True, False, False, False, False]
    redactor.hold("another", ["something-else-entirely"])
    assert redactor.text(tokens[-1]) != tokens[-1]


def test_equal_secrets_stay_recognisable_as_equal() -> None:
    text = REDACTOR.text("token=abc123def then token=abc123def then token=another1")
    first, second, third = (match.group() for match in PLACEHOLDER.finditer(text.encode()))
    assert first == second != third
    assert Redactor(key=b"another").text("token=abc123def") != PLAIN.text("token=abc123def")


def test_a_scan_counts_by_kind_and_never_shows_a_value() -> None:
    redaction = REDACTOR.scan(f"password=hunter2 password=hunter3 {HELD}")
    assert redaction.counts == {"password": 2, "held-secret": 1}
    assert "hunter" not in repr(redaction)
    assert "hunter" not in repr(REDACTOR)
    assert HELD not in repr(REDACTOR)
    assert REDACTOR.scan("nothing here").counts == {}


def test_more_secrets_make_another_redactor() -> None:
    secret = "picked-up-later-1"
    more = REDACTOR.with_secrets([secret])
    assert REDACTOR.text(secret) == secret
    assert more.text(f"{secret} {HELD}").count("[held-secret:") == 2
    assert more.text("token=abc123def") == REDACTOR.text("token=abc123def")


def test_what_was_clean_once_is_judged_anew_by_a_redactor_that_knows_more() -> None:
    redactor = Redactor(key=KEY)
    assert redactor.text(HELD) == redactor.text(HELD) == HELD
    assert HELD not in redactor.with_secrets([HELD]).text(HELD)


def test_memory_is_bounded_and_holds_no_secret() -> None:
    redactor = Redactor(key=KEY)
    for number in range(25_000):
        redactor.text(f"pod-{number}")
        redactor.text(f"password=hunter2{number}")
    remembered = redactor._known[1]
    assert len(remembered) <= 10_000
    assert not any("hunter2" in text for text in remembered)


def test_what_line_breaks_cut_is_found_too() -> None:
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    blob = base64.b64encode(b"x" * 50 + HELD.encode()).decode()
    text = REDACTOR.text(f"{token[:30]}\n{token[30:]} and {HELD[:5]}\n  {HELD[5:]}\n{blob[:76]}\n{blob[76:]}")
    assert text.count("[github-token:") == 1
    assert text.count("[held-secret:") == 2
    assert token[30:] not in text


@given(secret=ANYWHERE, before=TEXT, after=TEXT)
@settings(max_examples=120)
def test_a_planted_secret_never_survives(secret: str, before: str, after: str) -> None:
    assert secret not in REDACTOR.text(before + secret + after)


@given(value=body(12), before=TEXT, after=TEXT)
@settings(max_examples=60)
@pytest.mark.parametrize(
    "form",
    ["password={}", 'password: "{}"', '"password": "{}"', '\\"password\\":\\"{}\\"', "https://bob:{}@example.com",
     "DB_PASSWORD={}", "--password {}", "<password>{}</password>", "IDENTIFIED BY '{}'"],
)  # fmt: skip
def test_a_planted_password_never_survives(form: str, value: str, before: str, after: str) -> None:
    # A digit makes the value no word; the breaks keep the neighbours out of the name and of the value.
    planted = f"1{value}"
    assert planted not in PLAIN.text(f"{before}\n{form.format(planted)}\n{after}")


@pytest.mark.parametrize(
    "encode",
    [str, lambda s: quote(s, safe=""), lambda s: json.dumps(s), lambda s: base64.b64encode(s.encode()).decode(),
     lambda s: base64.b64encode(f"bob:{s}".encode()).decode(), lambda s: json.dumps(json.dumps({"x": s}))]
)  # fmt: skip
@given(secret=st.text(st.characters(codec="utf-8"), min_size=12, max_size=40).filter(lambda s: len(set(s)) >= 4))
@settings(max_examples=40)
def test_what_the_bot_holds_never_survives_in_any_form(encode: Callable[[str], str], secret: str) -> None:
    shown = encode(secret)
    assert shown.strip('"') not in Redactor([secret], key=KEY).text(f"x {shown} y")


@given(text=st.one_of(NASTY, TEXT))
@settings(max_examples=400)
@example("password=[token:0a1b2c]hunter2")
@example("[slack-token:0a1b2c]_foo")
@example("xoxb-12345678-ab_foo")
@example("AKIA" + "ABCDEFGHIJKLMNOP" + "sk-" + "a1" * 12)
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once


@given(text=st.one_of(NASTY, TEXT), chunk=st.integers(1, 40))
@settings(max_examples=200)
def test_the_size_of_chunks_changes_nothing(text: str, chunk: int) -> None:
    assert Redactor([HELD], key=KEY, chunk=chunk).scan(text) == REDACTOR.scan(text)


@given(secret=ANYWHERE, lines=st.lists(st.text(BASE62 + " =:/", max_size=12), max_size=8), chunk=st.integers(1, 60))
@settings(max_examples=60)
def test_a_secret_across_the_edge_of_a_chunk_is_found(secret: str, lines: list[str], chunk: int) -> None:
    text = "\n".join([*lines, f"x {secret} y", *lines])
    small = Redactor([HELD], key=KEY, chunk=chunk).text(text)
    assert secret not in small
    assert small == REDACTOR.text(text)


@given(text=st.one_of(NASTY, st.text(max_size=200)))
@settings(max_examples=150)
def test_output_is_bounded_and_what_is_not_text_is_no_error(text: str) -> None:
    assert len(REDACTOR.text(text)) <= 40 + 12 * len(text)


HEX = "0123456789abcdef"
WORD = st.sampled_from(
    ["pod", "checkout", "rolled", "out", "status=200", "dur=12ms", "level=info", "OOMKilled", "exit code 137",
     "[worker]", "GET /api/v1/cart/42", "2026-11-21T09:00:00.123Z", "10.0.3.17:8080", "http://checkout.shop.svc:8080/healthz",
     "/var/lib/kubelet/pods", "reason=BackOff", "restarts: 5", "secretName: db", "token expired", '"msg":"ready"',
     "us-east-1", "v1.31.2", "Error: ImagePullBackOff", "cpu: 250m", "ghcr.io/shop/checkout:1.4.2", "user@example.com"]
)  # fmt: skip
IDENTIFIER = st.one_of(
    st.text(HEX, min_size=40, max_size=40).map("commit {}".format),
    st.text(HEX, min_size=64, max_size=64).map("image: shop/checkout@sha256:{}".format),
    st.text(HEX, min_size=32, max_size=32).map("trace_id={}".format),
    st.uuids().map("uid: {}".format),
    st.text("bcdfghjklmnpqrstvwxz2456789", min_size=15, max_size=15).map(lambda s: f"pod/checkout-{s[:10]}-{s[10:]}"),
    st.integers(1, 10**12).map("resourceVersion: {}".format),
)


@given(text=st.lists(st.one_of(WORD, IDENTIFIER), max_size=20).flatmap(
    lambda words: st.sampled_from([" ", "\n", ", ", " | "]).map(lambda separator: separator.join(words))))  # fmt: skip
@settings(max_examples=200)
def test_ordinary_operations_text_is_left_as_it_is(text: str) -> None:
    assert PLAIN.scan(text).counts == {}
    assert PLAIN.text(text) == text


ADVERSARIAL = {
    "one name after another": "token=" * 30_000,
    "weak names": "key=" * 40_000,
    "quotes that never close": 'token="a' * 20_000,
    "fields in one run": ("token=" + "a" * 600 + "&") * 300,
    "keys that never end": ("-----BEGIN RSA PRIVATE " + "KEY-----\n") * 6_000,
    "JWTs that never get their dot": "eyJ" * 70_000,
    "JWTs around tokens": ("eyJ" + "ghp_" + "a" * 36) * 5_000,
    "URLs that never get their @": "https://a:" * 20_000,
    "names only": "password" * 25_000,
    "backslashes": 'token=\\"' + "\\" * 200_000,
    "placeholders": "password=[token:0a1b2c]" * 9_000,
    "brackets": "[token:" * 30_000,
    "manifests": "kind: Secret\ndata:\n  a: b\n" * 8_000,
    "JSON manifests": '{"kind":"Secret","data":{' * 8_000,
    "block scalars": "password: |\n" * 18_000,
    "curl": "curl -u " * 25_000,
    "lines": "\n" * 200_000,
    "spaces": "password" + " " * 200_000 + "=x",
    "base64 keys": "LS0tLS1CRUdJTi" * 15_000,
    "authorizations": "authorization: digest {{ " * 8_000,
}


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_hostile_text_takes_time_in_proportion_to_its_length(name: str) -> None:
    """Four times the text takes about four times as long, not sixteen; small times drown in noise and pass."""

    def seconds(text: str) -> float:
        start = time.process_time()
        PLAIN.text(text)
        return time.process_time() - start

    text = ADVERSARIAL[name]
    quarter = min(seconds(text[: len(text) // 4]) for _ in range(2))
    assert seconds(text) < 0.5 + 9 * quarter


def test_data_keeps_its_shape() -> None:
    data = {
        "password": "hunter2",
        "user": "bob",
        "nested": [{"api_key": "abc123", "n": 1}, ("x", None, True, 2.5)],
        "Authorization": "Bearer abc123def",
        "message": "token=abc123def",
        "pin": 7,
    }
    result = PLAIN.data(data)
    assert result["password"].startswith("[password:")
    assert result["user"] == "bob"
    assert result["nested"][0]["api_key"].startswith("[key:")
    assert result["nested"][0]["n"] == 1
    assert result["nested"][1] == ("x", None, True, 2.5)
    assert result["Authorization"].startswith("[authorization:")
    assert result["message"].startswith("token=[token:")
    assert data["password"] == "hunter2"


def test_the_whole_value_under_a_secret_name_goes_whatever_its_type() -> None:
    result = PLAIN.data({"credentials": {"u": "bob", "p": "hunter2"}, "password": 123456, "token": ["a", "b"]})
    assert all(PLACEHOLDER.fullmatch(value.encode()) for value in result.values())
    assert PLAIN.data({"password": None, "token": "", "secret": False}) == {
        "password": None,
        "token": "",
        "secret": False,
    }


def test_kubernetes_objects_lose_their_secrets_and_nothing_else() -> None:
    secret = {"kind": "Secret", "metadata": {"name": "db"}, "type": "Opaque", "data": {"user": "Ym9i"}}
    assert PLAIN.data(secret) == {**secret, "data": {"user": PLAIN.data(secret)["data"]["user"]}}
    assert PLAIN.data(secret)["data"]["user"].startswith("[kubernetes-secret:")
    pod = {
        "volumes": [{"secret": {"secretName": "db"}}, {"serviceAccountToken": {"path": "token"}}],
        "env": [{"name": "MODE", "value": "fast"}, {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "db"}}}],
        "automountServiceAccountToken": False,
    }
    assert PLAIN.data(pod) == pod
    entry = PLAIN.data([{"name": "DB_PASSWORD", "value": "hunter2"}])[0]
    assert entry["name"] == "DB_PASSWORD"
    assert entry["value"].startswith("[password:")


def test_secrets_in_keys_and_in_foreign_types_go_too() -> None:
    class Foreign:
        def __repr__(self) -> str:
            return "Foreign(password='hunter2')"

    result = json.dumps(PLAIN.data({"password=hunter2": 1, "x": Foreign(), "b": b"token=abc123def \xff"}))
    assert "hunter2" not in result
    assert "abc123def" not in result


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["password", "kind", "data", "name", "value", "auth"]), inner)
                    ))  # fmt: skip
@settings(max_examples=150)
def test_redacting_data_twice_changes_nothing(data: Any) -> None:
    once = REDACTOR.data(data)
    assert REDACTOR.data(once) == once


def test_depth_is_bounded() -> None:
    deep: Any = "password=hunter2"
    for _ in range(10_000):
        deep = [deep]
    result = PLAIN.data(deep)
    for _ in range(MAX_DEPTH):
        (result,) = result
    assert result == "[too deep]"
    assert PLACEHOLDER.fullmatch(PLAIN.data({"password": deep})["password"].encode())


def test_what_cannot_represent_itself_stops_nothing() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise ValueError("hunter2")

    assert PLAIN.data([Broken()]) == ["<Broken without representation: ValueError>"]


def logger_into(stream: io.StringIO, redactor: Redactor) -> Any:
    return structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[structlog.processors.add_log_level, redactor.processor, structlog.processors.JSONRenderer()],
    )


def test_a_log_line_passes_through_the_processor() -> None:
    stream = io.StringIO()
    log = logger_into(stream, REDACTOR)
    log.info("login password=hunter2", api_key="abc123", held=HELD, count=3, nested={"token": "abc123def"})
    line = json.loads(stream.getvalue())
    assert line["count"] == 3
    assert line["level"] == "info"
    assert not any(secret in stream.getvalue() for secret in ("hunter2", "abc123", HELD))


@pytest.mark.parametrize("how", [True, "the exception itself"])
def test_an_exception_is_logged_without_its_secrets(how: object) -> None:
    stream = io.StringIO()
    try:
        raise ValueError(f"cannot connect to postgres://app:hunter2@db/shop with {HELD}")
    except ValueError as error:
        logger_into(stream, REDACTOR).error("failed", exc_info=True if how is True else error)
    line = json.loads(stream.getvalue())
    assert "ValueError: cannot connect to postgres://app:[url-password:" in line["exception"]
    assert "hunter2" not in stream.getvalue()
    assert HELD not in stream.getvalue()


def test_records_of_the_standard_library_pass_through_it_too() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[REDACTOR.processor],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    log = logging.Logger("foreign")
    log.addHandler(handler)
    log.warning("token=%s", "abc123def")
    assert json.loads(stream.getvalue())["event"].startswith("token=[token:")
