"""Which names announce that the value beside them is a secret."""

import re
from functools import lru_cache

_STRONG = {
    "password": "password passwd passwort passphrase passcode pwd pswd userpass dbpass userpw dbpw keystorepass",
    "token": "token jwt",
    "secret": "secret",
    "key": (
        "apikey accesskey secretkey privatekey encryptionkey signingkey masterkey accountkey sharedkey "
        "storagekey authkey licensekey appkey applicationkey integrationkey consumerkey subscriptionkey "
        "hmackey clientkeydata privatekeydata privatekeyid accesskeyid unsealkey"
    ),
    "connection-string": "connectionstring connstring connstr",
    "credential": "credential credentials creds",
    "cookie": "cookie cookies",
    "authorization": "authorization",
}
_STRONG_ENDINGS = tuple((ending, kind) for kind, endings in _STRONG.items() for ending in endings.split())
_ENDINGS = tuple(ending for ending, _ in _STRONG_ENDINGS)
_WEAK_ENDINGS = ("key", "auth", "sig", "signature", "session", "sessionid", "sid", "sas", "pat", "bearer")
# These end too many words ("bypass", "compass") to count unless they are the last of several words ("db_pass").
_LAST_WORDS = ("pass", "pw")
# Words after the name of a secret that say in which form it stands there: "SECRET_KEY_BASE", "my_secret_value".
_FORMS = ("base", "value", "string", "plain", "plaintext", "hex", "raw")
# Words before "secret" that make the value the name of a Kubernetes object.
_SECRET_REFERENCES = ("existing", "pull", "tls", "cert", "ca", "external", "sealed", "kubernetes", "k8s")

_APART = re.compile(r"[\W_]+")


@lru_cache(maxsize=4096)
def kind_of(name: str) -> str | None:
    """Return the kind of secret that a field of this name holds, or None.

    `dbPassword`, `DB_PASSWORD_1` and `x-api-key` name secrets; `tokenType`, `secretName` and `passwordPolicy` do not.
    """
    words = _words(name)
    if len(words) > 1 and words[-1] in _LAST_WORDS:
        return "password"
    folded = _folded(name)
    return _announced(folded) or next(
        (_announced(folded.removesuffix(form).rstrip("0123456789")) for form in _FORMS if folded.endswith(form)), None
    )


def _announced(folded: str) -> str | None:
    if not folded.endswith(_ENDINGS):
        return None
    for ending, kind in _STRONG_ENDINGS:
        if folded.endswith(ending):
            refers = kind == "secret" and folded.removesuffix(ending).endswith(_SECRET_REFERENCES)
            return None if refers else kind
    return None


@lru_cache(maxsize=4096)
def may_hold_key(name: str) -> bool:
    """Whether a field of this name may hold a secret, so that a random-looking value beside it counts as one."""
    folded = _folded(name)
    return folded.endswith(_WEAK_ENDINGS)


def _folded(name: str) -> str:
    return _APART.sub("", name.lower()).rstrip("0123456789")


def _words(name: str) -> list[str]:
    return [word.rstrip("0123456789") for word in _APART.sub(" ", name.lower()).split() if not word.isdigit()]
