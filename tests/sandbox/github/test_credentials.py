from __future__ import annotations

import time

import jwt
import pytest

from bot.sandbox.github.credentials import Credentials
from bot.sandbox.github.refusal import Refusal

CREDENTIALS = Credentials(time.time)


def signed(**changed: object) -> str:
    now = int(time.time())
    claims = {"iat": now - 60, "exp": now + 300, "iss": str(CREDENTIALS.app_id)} | changed
    return "Bearer " + jwt.encode(claims, CREDENTIALS.private_key, algorithm="RS256")


def test_the_app_is_known_by_its_signature() -> None:
    assert CREDENTIALS.caller(signed()).kind == "app"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer nothing",
        "Basic abc",
        signed(iss="1"),
        signed(exp=int(time.time()) - 1),
        signed(exp=int(time.time()) + 3600),
        signed()[:-8] + "AAAAAAAA",
    ],
)
def test_whoever_cannot_prove_who_they_are_is_refused(header: str) -> None:
    with pytest.raises(Refusal) as refused:
        CREDENTIALS.caller(header)
    assert refused.value.status == 401


def test_a_token_has_the_permissions_that_were_asked_for_and_no_more() -> None:
    caller = CREDENTIALS.install({"contents": "read", "pull_requests": "write"})
    caller.need("a/b", "contents", "read")
    for permission, level in (("contents", "write"), ("actions", "read")):
        with pytest.raises(Refusal, match="not accessible by integration"):
            caller.need("a/b", permission, level)


def test_more_than_was_granted_cannot_be_asked_for() -> None:
    with pytest.raises(Refusal, match="not granted"):
        CREDENTIALS.install({"administration": "write"})


def test_an_installation_token_ends() -> None:
    caller = CREDENTIALS.install({})
    assert CREDENTIALS.caller(f"token {caller.token}") is caller
    CREDENTIALS.expire()
    with pytest.raises(Refusal, match="Bad credentials"):
        CREDENTIALS.caller(f"token {caller.token}")
