"""Names that announce a secret, and names that only sound like it."""

import pytest

from bot.redact.names import kind_of, may_hold_key


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("password", "password"),
        ("dbPassword", "password"),
        ("DB_PASSWORD_1", "password"),
        ("PGPASSWORD", "password"),
        ("spring.datasource.password", "password"),
        ("db_pass", "password"),
        ("token", "token"),
        ("accessToken", "token"),
        ("SLACK_BOT_TOKEN", "token"),
        ("client_secret", "secret"),
        ("x-api-key", "key"),
        ("SECRET_KEY_BASE", "key"),
        ("my_secret_value", "secret"),
        ("SecretString", "secret"),
        ("AWS_SECRET_ACCESS_KEY", "key"),
        ("client-key-data", "key"),
        ("private_key", "key"),
        ("credentials", "credential"),
        ("Set-Cookie", "cookie"),
        ("Proxy-Authorization", "authorization"),
        ("AZURE_CONNECTION_STRING", "connection-string"),
    ],
)
def test_names_of_secrets(name: str, kind: str) -> None:
    assert kind_of(name) == kind


@pytest.mark.parametrize(
    "name",
    [
        "secretName", "existingSecret", "imagePullSecret", "tlsSecret", "secretKeyRef", "tokenType", "token_expiry",
        "passwordPolicy", "max_tokens", "input_tokens", "compass", "bypass", "groupKey", "author", "authority", "",
        "automountServiceAccountToken_mode", "keyspace", "resourceVersion", "1234",
        "codebase", "database", "keyValue", "connection",
    ],
)  # fmt: skip
def test_names_that_only_sound_like_it(name: str) -> None:
    assert kind_of(name) is None


def test_some_names_may_hold_a_key_if_the_value_looks_like_one() -> None:
    assert may_hold_key("signature")
    assert may_hold_key("groupKey")
    assert not may_hold_key("status")
