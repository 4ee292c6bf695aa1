"""What a line of shell looks like that runs code from the network, wherever it is written."""

from __future__ import annotations

from typing import Final

_FETCH: Final = r"\b(?:curl|wget)\b"
_AS: Final = r"(?:sudo\s+(?:-\S+\s+(?:\w+\s+)?)*)?(?:env\s+(?:\S+=\S*\s+)*)?(?:\S*/)?"
_SHELL: Final = r"(?:ba|z|da|k)?sh\b"

REMOTE_CODE: Final = (
    rf"{_FETCH}(?:[^|;&]|&[^&])*\|\s*{_AS}(?:{_SHELL}|(?:python3?|perl|ruby|node)\s*(?:-\s*)?(?:$|[;&|\"']))"
    rf"|(?:\b{_SHELL}|\beval\b|\bsource\b|(?:^|\s)\.)\s[^|;&]*(?:\$\(|<\(|`)\s*{_FETCH}"
)
"""A pattern (RE2 syntax): what is fetched goes into an interpreter, through a pipe or as its argument."""
