"""The installation's keys: the newest signs, each that is still listed checks, and a signature names its key."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

KEY_LENGTH = 32
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_UNKNOWN = "which SIGNOFF_SECRET_KEY does not hold"
_SEPARATORS = re.compile(r"[,\s]+")


@dataclass(frozen=True, slots=True)
class Keys:
    """One or more keys by id. What is signed is signed with ``newest``; a key that is taken out checks nothing more."""

    newest: str
    _keys: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Self:
        """Read ``ID:KEY``, or several of them separated by commas or white space, the newest first.

        Raises ``ValueError`` with a sentence that never quotes a key.
        """
        found: dict[str, bytes] = {}
        for entry in filter(None, _SEPARATORS.split(text)):
            key_id, _, key = entry.partition(":")
            if not _ID.fullmatch(key_id) or len(key) < KEY_LENGTH:
                raise ValueError(f"expected ID:KEY with a KEY of at least {KEY_LENGTH} characters")
            if key_id in found:
                raise ValueError(f"the id {key_id!r} is given twice: each key has an id of its own")
            found[key_id] = key.encode()
        if not found:
            raise ValueError(f"expected ID:KEY with a KEY of at least {KEY_LENGTH} characters")
        return cls(next(iter(found)), found)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all keys, the newest first."""
        return tuple(self._keys)

    def newest_key(self) -> bytes:
        """Return the newest key itself, for keyed hashes that nobody has to check."""
        return self._keys[self.newest]

    def sign(self, purpose: str, data: bytes) -> str:
        """Return the signature of ``data``. One made for another ``purpose`` (a table's name) does not fit."""
        return f"{self.newest}:{self._mac(self.newest, purpose, data)}"

    def fault(self, purpose: str, data: bytes, signature: str) -> str:
        """Say what is wrong with a signature, or return "" if it is right."""
        return self.checker(purpose)(data, signature)

    def checker(self, purpose: str) -> Callable[[bytes, str], str]:
        """Return ``fault`` for one purpose, for whoever has millions of signatures to check."""
        keys, prefix = self._keys, purpose.encode() + b"\0"
        digest, same = hmac.digest, hmac.compare_digest
        newest, begins = keys[self.newest], f"{self.newest}:"

        def fault(data: bytes, signature: Any) -> str:
            given = signature if isinstance(signature, str) and signature.isascii() else ""
            if same(begins + digest(newest, prefix + data, "sha256").hex(), given):
                return ""
            key_id, _, mac = given.rpartition(":")
            key = keys.get(key_id)
            if not key_id:
                return "it is not signed"
            if key is None:
                return f"it is signed with the key {key_id[:63]!r}, {_UNKNOWN}"
            if not same(digest(key, prefix + data, "sha256").hex(), mac):
                return "its signature does not match"
            return ""

        return fault

    def _mac(self, key_id: str, purpose: str, data: bytes) -> str:
        return hmac.digest(self._keys[key_id], purpose.encode() + b"\0" + data, "sha256").hex()
