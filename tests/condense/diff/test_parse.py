from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.condense.diff.parse import from_listing, parse, plain, render
from bot.condense.diff.patch import FilePatch
from tests.condense.diff.diffs import NOISE, change, changes, diffs

SUBPROJECT = "Subproject commit " + "a" * 39


def only(text: str) -> FilePatch:
    patch = parse(text)
    assert render(patch) == text
    (file,) = patch.files
    return file


def numbered(file: FilePatch) -> list[tuple[str, int | None, int | None]]:
    return [(line.sign + line.text, line.old, line.new) for hunk in file.hunks for line in hunk.lines()]


@given(NOISE | st.text() | diffs())
@settings(max_examples=150)
def test_any_text_is_read_without_an_error_and_written_back_as_it_was(text: str) -> None:
    assert render(parse(text)) == text


@given(st.binary(max_size=400))
@settings(max_examples=100)
def test_any_bytes_are_read(data: bytes) -> None:
    text = b"diff --git a/x b/x\n@@ -1 +1 @@\n".decode() + data.decode("utf-8", "replace")
    assert render(parse(text)) == text


@given(changes())
@settings(max_examples=150)
def test_the_change_that_is_read_makes_the_new_file_out_of_the_old_one(case: tuple[str, list[str], list[str]]) -> None:
    path, old, new = case
    if old == new:
        return
    (file,) = parse(change(path, old, new)).files
    made, at = [], 0
    for hunk in file.hunks:
        assert not hunk.damaged
        for line in hunk.lines():
            if line.sign == "+":
                made.append(line.text)
                assert line.new == len(made)
                continue
            assert line.old is not None
            made += old[at : line.old - 1]
            at = line.old
            assert old[at - 1] == line.text
            if line.sign == " ":
                made.append(line.text)
                assert line.new == len(made)
    assert made + old[at:] == new
    assert file.path == path


@pytest.mark.parametrize(
    ("first", "path"),
    [
        ("diff --git a/k8s/a.yaml b/k8s/a.yaml", "k8s/a.yaml"),
        ("diff --git a/my charts/a b/values.yaml b/my charts/a b/values.yaml", "my charts/a b/values.yaml"),
        ('diff --git "a/gr\\303\\266\\303\\237e.yaml" "b/gr\\303\\266\\303\\237e.yaml"', "größe.yaml"),
        ('diff --git "a/tab\\there \\"x\\"" "b/tab\\there \\"x\\""', 'tab\there "x"'),
        ("diff --git i/x w/x", "x"),
        ("diff --git src/x src/x", "src/x"),
        ("diff --cc merged.go", "merged.go"),
    ],
)
def test_the_first_line_alone_names_the_file(first: str, path: str) -> None:
    assert only(first + "\nold mode 100644\nnew mode 100755\n").path == path


def test_a_tab_ends_a_path_and_a_space_does_not() -> None:
    file = only("diff --git a/a b/v b/a b/v\n--- a/a b/v\t\n+++ b/a b/v\t\n@@ -1 +1 @@\n-a\n+b\n")
    assert file.path == "a b/v"


def test_a_diff_without_git_is_read() -> None:
    one = "--- old/x.conf\t2026-01-01\n+++ new/x.conf\t2026-01-02\n@@ -1 +1 @@\n-a\n+b\n"
    patch = parse(one + "--- y\n+++ y\n@@ -1 +1 @@\n-c\n+d\n")
    assert [(file.path, len(file.hunks)) for file in patch.files] == [("new/x.conf", 1), ("y", 1)]


def test_lines_that_look_like_headers_are_lines_while_the_hunk_promises_lines() -> None:
    body = "-- a/secret.yaml\n+++ b/secret.yaml\n+@@ -1 +1 @@\n+diff --git a/x b/x\n"
    file = only(f"diff --git a/n.md b/n.md\n--- a/n.md\n+++ b/n.md\n@@ -1,2 +1,4 @@\n hello\n-{body}")
    assert numbered(file)[1:] == [
        ("--- a/secret.yaml", 2, None),
        ("+++ b/secret.yaml", None, 2),
        ("+@@ -1 +1 @@", None, 3),
        ("+diff --git a/x b/x", None, 4),
    ]


def test_a_line_ends_at_a_newline_and_nowhere_else() -> None:
    file = only("diff --git a/t b/t\n--- a/t\n+++ b/t\n@@ -1,2 +1,3 @@\n a: x\u2028y\n-b: 1\r\n+b: 2\r\n+\x0cc: 3\n")
    assert [text for text, _, _ in numbered(file)] == [" a: x\u2028y", "-b: 1\r", "+b: 2\r", "+\x0cc: 3"]


def test_a_missing_newline_is_no_line() -> None:
    file = only("diff --git a/v b/v\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file")
    assert numbered(file) == [("-a", 1, None), ("+b", None, 1)]
    assert "damaged" not in file.notes


def test_without_context_numbers_begin_after_the_line_that_the_header_names() -> None:
    file = only("diff --git a/d b/d\n@@ -21,0 +22,2 @@ above\n+x\n+y\n@@ -30 +32,0 @@\n-z\n")
    assert numbered(file) == [("+x", None, 22), ("+y", None, 23), ("-z", 30, None)]
    assert file.hunks[0].heading == "above"


@pytest.mark.parametrize(
    ("rest", "status", "old_path", "notes"),
    [
        ("new file mode 100644\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n", "added", None, ()),
        ("deleted file mode 100644\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", "deleted", None, ()),
        ("--- a/x\n+++ b/x\n@@ -1 +0,0 @@\n-a\n", "modified", None, ()),
        ("similarity index 100%\nrename from o\nrename to x\n", "renamed", "o", ()),
        ("similarity index 90%\ncopy from o\ncopy to x\n", "copied", "o", ()),
        ("old mode 100644\nnew mode 100755\n", "mode", None, ("mode 100644 -> 100755",)),
        ("index 1..2 100644\nBinary files a/x and b/x differ\n", "modified", None, ("binary",)),
        ("index 1..2 100644\nGIT binary patch\nliteral 1\nIc${Nj\n\n", "modified", None, ("binary",)),
        (
            "index 1..2 160000\n@@ -1 +1 @@\n-Subproject commit 1\n+Subproject commit 2\n",
            "modified",
            None,
            ("submodule",),
        ),
    ],
)
def test_what_happens_to_a_file_is_known(rest: str, status: str, old_path: str | None, notes: tuple[str, ...]) -> None:
    file = only("diff --git a/x b/x\n" + rest)
    assert (file.path, file.status, file.old_path, file.notes) == ("x", status, old_path, notes)


def test_the_diff_of_a_merge_is_named_and_its_lines_are_not_taken_for_a_change() -> None:
    file = only("diff --cc x\nindex 1,2..3\n--- a/x\n+++ b/x\n@@@ -1,1 -1,1 +1,1 @@@\n- a\n -b\n++c\n")
    assert (file.path, file.hunks, file.notes) == ("x", (), ("combined",))


@pytest.mark.parametrize(
    "text",
    [
        "diff --git a/x b/x\n@@ -1,5 +1,5 @@\n a\n",
        "diff --git a/x b/x\n@@ -1 +1 @@\n-a\n+b\n+hidden\n",
        "diff --git a/x b/x\n@@ -1,2 +1,2 @@\n-a\njunk\n+b\n",
    ],
)
def test_a_hunk_that_is_not_what_its_header_promises_is_told(text: str) -> None:
    assert only(text).notes == ("damaged",)


def test_a_mail_signature_is_no_damage_and_a_hunk_after_junk_is_read() -> None:
    assert only("diff --git a/x b/x\n@@ -1 +1 @@\n-a\n+b\n-- \n2.39.2\n").notes == ()
    assert len(only("diff --git a/x b/x\n@@ -1 +1 @@\n-a\n+b\njunk\n@@ -9 +9 @@\n-c\n+d\n").hunks) == 2


@pytest.mark.parametrize(
    ("entry", "status", "hunks", "notes"),
    [
        ({"status": "modified", "patch": "@@ -1 +1 @@\n-a\n+b", "changes": 2}, "modified", 1, ()),
        ({"status": "removed", "patch": "@@ -1 +0,0 @@\n-a", "changes": 1}, "deleted", 1, ()),
        ({"status": "renamed", "previous_filename": "o", "changes": 0}, "renamed", 0, ()),
        ({"status": "modified", "changes": 40_000}, "modified", 0, ("no patch",)),
        ({"status": "modified", "changes": 0}, "modified", 0, ("binary",)),
        ({"status": "added", "changes": 0}, "added", 0, ()),
        ({"status": "added", "changes": 0, "sha": "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"}, "added", 0, ()),
        ({"status": "added", "changes": 0, "sha": "5" * 40}, "added", 0, ("binary",)),
        ({"status": "removed", "changes": 0, "sha": "5" * 40}, "deleted", 0, ("binary",)),
        ({"status": "changed", "patch": None}, "mode", 0, ("mode changed",)),
        (
            {"status": "modified", "changes": 2, "patch": f"@@ -1 +1 @@\n-{SUBPROJECT}1\n+{SUBPROJECT}2"},
            "modified",
            1,
            ("submodule",),
        ),
        (
            {"status": "modified", "changes": 2, "patch": f"@@ -1 +1,2 @@\n-{SUBPROJECT}1\n+{SUBPROJECT}2\n+x"},
            "modified",
            1,
            (),
        ),
    ],
)
def test_github_lists_files_with_and_without_their_lines(
    entry: dict[str, Any], status: str, hunks: int, notes: tuple[str, ...]
) -> None:
    (file,) = from_listing([{"filename": "x", **entry}]).files
    assert (file.path, file.status, len(file.hunks), file.notes) == ("x", status, hunks, notes)


def test_a_mailbox_of_patches_is_read_patch_by_patch() -> None:
    one, other = change("a.py", ["x"], ["y"]), change("m.sql", ["-- old", "k"], ["++ new"])
    text = (
        f"From 1a2b Mon Sep 17 00:00:00 2001\nSubject: [PATCH 1/2] one\n\n---\n a.py | 2 +-\n\n{one}-- \n2.40.1\n\n\n"
        f"From 3c4d Mon Sep 17 2001\nSubject: [PATCH 2/2] two\n\n- a list\n---\n m.sql | 3 +-\n\n{other}-- \n2.40.1\n"
    )
    patch = parse(text)
    assert [(file.path, file.notes, file.count("+"), file.count("-")) for file in patch.files] == [
        ("a.py", (), 1, 1),
        ("m.sql", (), 1, 2),
    ]
    assert render(patch) == text


def test_lines_after_a_mail_signature_that_is_none_are_damage() -> None:
    text = change("m.sql", ["x"], ["y"]) + "-- \n-- another comment\n"
    assert only(text).notes == ("damaged",)


def test_a_hunk_whose_numbers_cannot_be_is_damage_and_not_silence() -> None:
    file = only("--- a/x\n+++ b/x\n@@ -99999999999,1 +1,1 @@\n-a\n+b\n")
    assert (file.hunks, file.notes) == ((), ("damaged",))


def test_removed_comments_and_added_marks_are_no_headers() -> None:
    text = "--- a/m.sql\n+++ b/m.sql\n@@ -1 +0,0 @@\n--- x\n@@ -5 +4 @@\n--- y\n+++ z\n"
    lines = [line for hunk in only(text).hunks for line in hunk.lines()]
    assert lines == [("-", "-- x", 1, None), ("-", "-- y", 5, None), ("+", "++ z", None, 4)]


def test_a_file_that_becomes_a_link_is_two_sections_and_the_second_says_what_it_was() -> None:
    became = "diff --git a/x b/x\ndeleted file mode {}\ndiff --git a/{} b/{}\nnew file mode {}\n"
    for old, name, new, notes in (
        ("100644", "x", "120000", ("mode 100644 -> 120000",)),
        ("120000", "x", "100755", ("mode 120000 -> 100755",)),
        ("100644", "y", "120000", ()),
        ("100644", "x", "100644", ()),
    ):
        assert parse(became.format(old, name, name, new)).files[1].notes == notes


def test_a_mark_at_the_beginning_or_colours_hide_no_file() -> None:
    bare = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
    assert plain("\ufeff" + bare) == bare
    coloured = (
        "\x1b[1mdiff --git a/x b/x\x1b[m\n\x1b[1m--- a/x\x1b[m\n\x1b[1m+++ b/x\x1b[m\n"
        "\x1b[36m@@ -1 +1 @@\x1b[m\n\x1b[31m-a\x1b[m\n\x1b[32m+\x1b[m\x1b[32mb\x1b[m\n"
    )
    assert plain(coloured) == "diff --git a/x b/x\n" + bare
    about_colours = bare.replace("+b", "+\x1b[31mb")
    assert plain(about_colours) == about_colours


def test_a_listed_file_that_did_not_change_is_no_binary() -> None:
    assert from_listing([{"filename": "x", "status": "unchanged", "sha": "a" * 40, "changes": 0}]).files[0].notes == ()
