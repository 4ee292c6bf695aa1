"""A bearer token that is kept in a file: read anew for each request, because whoever mounts it replaces it."""

from __future__ import annotations

from pathlib import Path


class TokenUnreadable(Exception):
    """The file cannot be read; the message says why, without the path or the content."""


def header(token_file: Path | None) -> dict[str, str]:
    """Return the Authorization header, none without a file. Blocks on the file. Raises ``TokenUnreadable``."""
    if token_file is None:
        return {}
    try:
        token = token_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TokenUnreadable(getattr(error, "strerror", None) or "it is not text") from None
    return {"Authorization": f"Bearer {token}"}
