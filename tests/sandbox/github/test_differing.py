from __future__ import annotations

import pytest

from bot.condense.diff.parse import parse, render
from bot.sandbox.github.differing import anchors, changes, whole
from bot.sandbox.github.refusal import Refusal


def test_files_are_listed_as_added_removed_modified_and_renamed() -> None:
    before = {"a": b"1\n", "gone": b"2\n", "old/name": b"3\n"}
    after = {"a": b"1\n4\n", "new": b"5\n", "new/name": b"3\n"}
    found = {file.path: (file.status, file.additions, file.deletions) for file in changes(before, after)}
    assert found == {
        "a": ("modified", 1, 0),
        "gone": ("removed", 0, 1),
        "new": ("added", 1, 0),
        "new/name": ("renamed", 0, 0),
    }


def test_only_a_newline_ends_a_line() -> None:
    (file,) = changes({"a": "one\u2028two\x0cthree\n".encode()}, {"a": "one\u2028two\x0cfour\n".encode()})
    assert (file.additions, file.deletions) == (1, 1)
    assert file.patch is not None
    assert file.patch.count("\n") == 2


def test_a_missing_newline_at_the_end_is_said() -> None:
    (file,) = changes({"a": b"1\n2"}, {"a": b"1\n2\n"})
    assert file.patch == "@@ -1,2 +1,2 @@\n 1\n-2\n\\ No newline at end of file\n+2"


def test_binary_and_large_files_have_no_patch() -> None:
    large = b"x" * 600_000
    found = {file.path: file.patch for file in changes({}, {"binary": b"\0\1", "large": large, "small": b"1\n"})}
    assert found == {"binary": None, "large": None, "small": "@@ -0,0 +1 @@\n+1"}


def test_a_diff_has_at_most_300_files_and_20000_lines() -> None:
    assert whole(changes({}, {f"f{n}": b"1\n" for n in range(300)})).count("diff --git") == 300
    with pytest.raises(Refusal, match=r"number of files \(300\)") as refused:
        whole(changes({}, {f"f{n}": b"1\n" for n in range(301)}))
    assert refused.value.status == 406
    with pytest.raises(Refusal, match=r"number of lines \(20000\)"):
        whole(changes({}, {"a": b"1\n" * 11_000, "b": b"1\n" * 11_000}))


def test_the_whole_diff_is_one_that_the_parser_reads() -> None:
    text = whole(changes({"a b": b"1\n", "gone": b"2"}, {"a b": b"3\n", "new": b"4\n"}))
    assert [file.status for file in parse(text).files] == ["modified", "deleted", "added"]
    assert render(parse(text)) == text


def test_a_comment_may_be_on_any_line_of_a_hunk_and_on_no_other() -> None:
    (file,) = changes({"a": b"1\n2\n3\n4\n5\n6\n7\n8\n9\n"}, {"a": b"1\n2\n3\n4\nfive\n6\n7\n8\n9\n"})
    found = anchors(file.patch or "")
    assert {line for side, line in found if side == "RIGHT"} == set(range(2, 9))
    assert ("LEFT", 5) in found
    assert ("RIGHT", 1) not in found
    assert ("RIGHT", 9) not in found
