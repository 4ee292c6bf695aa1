"""Diffs to test with: one file's change from its lines before and after, as git would write it, and strategies."""

import difflib

from hypothesis import strategies as st

from bot.condense.diff.parse import parse
from bot.condense.diff.patch import FilePatch


def change(path: str, old: list[str], new: list[str], *, context: int = 3) -> str:
    """Return the diff of a file that has these lines before and after; no lines at all means that it is not there."""
    head = [f"diff --git a/{path} b/{path}"]
    if not old:
        head.append("new file mode 100644")
    elif not new:
        head.append("deleted file mode 100644")
    hunks = list(
        difflib.unified_diff(
            old, new, f"a/{path}" if old else "/dev/null", f"b/{path}" if new else "/dev/null", lineterm="", n=context
        )
    )
    return "\n".join([*head, *hunks]) + "\n"


def file(path: str, old: list[str], new: list[str]) -> FilePatch:
    """Return the same, parsed."""
    return parse(change(path, old, new)).files[0]


LINES = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    [
        "",
        "  replicas: 3",
        "    livenessProbe:",
        "@@ -1 +1 @@",
        "diff --git a/x b/x",
        "--- a/x",
        "+++ b/x",
        "\\ No newline",
        "&1 2",
        "*1 2",
        "## x +1 -0",
        "\r",
        "import os",
        "def go():",
    ]
)
PATHS = st.sampled_from(
    ["deploy/app.yaml", "main.tf", "src/app.py", "yarn.lock", "vendor/a.go", "README.md", "db/migrations/1.sql"]
)


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, list[str], list[str]]:
    """A file's path, and its lines before and after: a few edits apart."""
    old = draw(st.lists(LINES, max_size=25))
    new = list(old)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(new)))
        new[at : at + draw(st.integers(0, 3))] = draw(st.lists(LINES, max_size=4))
    return draw(PATHS), old, new


@st.composite
def diffs(draw: st.DrawFn) -> str:
    """A diff of up to five files, each at another path."""
    parts = draw(st.lists(changes(), max_size=5))
    return "".join(change(f"{n}/{path}", old, new) for n, (path, old, new) in enumerate(parts) if old != new)


NOISE = st.lists(
    st.sampled_from(
        [
            "diff --git a/x b/x\n",
            "--- a/x\n",
            "+++ b/x\n",
            "@@ -1,2 +1,2 @@ f\n",
            "@@ -0,0 +1 @@\n",
            "@@ -1 +999999999 @@\n",
            "+a\n",
            "-b\n",
            " c\n",
            "\n",
            "\\ No newline\n",
            "rename from a\n",
            'rename to "b\\303\\266"\n',
            "Binary files a/x and b/x differ\n",
            "new file mode 160000\n",
            "old mode 1\n",
            "new mode 2\n",
            "diff --cc x\n",
            "@@@ -1 -1 +1 @@@\n",
            "index 1..2 160000\n",
            '"',
            "\x00",
            "\ud800",
            "\u2028",
        ]
    )
    | st.text(max_size=8),
    max_size=30,
).map("".join)
"""Texts that look like diffs and are none."""
