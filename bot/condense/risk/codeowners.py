"""Risk rules for CODEOWNERS: whose approval a change needs."""

from __future__ import annotations

import re
from typing import Final

from bot.condense.risk.rule import Added, Gone, Rule

PATHS: Final = re.compile(r"(?:^|/)CODEOWNERS$")

RULES: Final[tuple[Rule, ...]] = (
    Gone(
        "owners/removed",
        "high",
        r"^\s*([^\s#]\S*)\s+[^\s#]",
        "Changes of these files need nobody's approval any more, or somebody else's.",
    ),
    Added(
        "owners/nobody",
        "high",
        r"^\s*[^\s#\[^]\S*\s*(?:#.*)?$",
        "These files are given no owner: whatever named one for them before does not count any more.",
    ),
)
