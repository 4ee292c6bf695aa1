"""What of a line is a comment, told in both directions: what surely is one, and what may be one.

A rule that tells of an added danger may only pass over what surely is a comment; what is said to have come back must
not even seem to be one. Which marks count depends on the file's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_NO_HASH: Final = re.compile(
    r"\.(?:go|js|mjs|cjs|ts|jsx|tsx|java|kt|kts|rs|cs|c|cc|cpp|h|hpp|swift|scala|groovy|proto|json|cue|sql|psql|ddl|plsql|pgsql|prisma|lua|gotmpl|tmpl)$"
    r"|(?:^|/)(?:go\.mod|Jenkinsfile)$",
    re.I,
)
_SLASHES: Final = re.compile(
    r"\.(?:go|js|mjs|cjs|ts|jsx|tsx|java|kt|kts|rs|php|cs|c|cc|cpp|h|hpp|swift|scala|groovy|proto|json|cue|jsonnet|libsonnet|tf|tfvars|tofu|hcl|prisma)$"
    r"|(?:^|/)(?:go\.mod|Jenkinsfile)$",
    re.I,
)
_DASHES: Final = re.compile(r"\.(?:sql|psql|ddl|plsql|pgsql|lua)$", re.I)
_SEMICOLON: Final = re.compile(r"\.(?:ini|cfg|conf|properties)$", re.I)
# In a template these begin and end a comment whatever language it renders to.
_TEMPLATE = re.compile(r"\s*\{\{-?\s*/\*(?:(?!\*/).)*\*/\s*-?\}\}\s*")
_STRING: Final = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of a file's language: what begins a comment at a line's beginning (``whole``), or anywhere."""

    whole: re.Pattern[str]
    _anywhere: re.Pattern[str]
    _blocks: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, path: str) -> Marks:
        """Return the marks of the file with this path; ``#`` for what is not known to have another."""
        whole, anywhere = [], []
        blocks = [("{{/*", "*/"), ("{{- /*", "*/"), ("<!--", "-->")]
        if not _NO_HASH.search(path):
            whole.append(r"#(?!\[)")
            anywhere.append(r"(?<!\S)#")
        if _SLASHES.search(path):
            whole.append("//")
            anywhere.append(r"//|/\*")
        if _SLASHES.search(path) or _DASHES.search(path):
            blocks.append(("/*", "*/"))
        if _DASHES.search(path):
            whole.append("--")
            anywhere.append("--")
        if _SEMICOLON.search(path):
            whole.append(";")
        anywhere.append(r"\{\{-?\s*/\*|<!--")
        return cls(
            re.compile(rf"\s*(?:{'|'.join(whole)})") if whole else re.compile(r"(?!)"),
            re.compile(rf"{_STRING}|({'|'.join(anywhere)})"),
            tuple(blocks),
        )

    def comment(self, text: str) -> bool:
        """Whether all of a line surely is a comment, whatever stands above it."""
        return self.whole.match(text) is not None or _TEMPLATE.fullmatch(text) is not None

    def code(self, text: str) -> str:
        """Return the line up to where a comment may begin in it."""
        if self.comment(text):
            return ""
        for found in self._anywhere.finditer(text):
            if found[1]:
                return text[: found.start()]
        return text

    def commented_out(self, texts: Iterable[str]) -> Iterator[bool]:
        """Yield for each line of a text whether it may stand within a comment that began on a line above it."""
        closes = ""
        for text in texts:
            yield bool(closes)
            if closes:
                closes = "" if closes in text else closes
                continue
            bare = text.lstrip()
            for opens, close in self._blocks:
                if bare.startswith(opens) and close not in bare:
                    closes = close
