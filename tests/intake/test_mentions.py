import html
import re
import time

import cmarkgfm
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.intake.mentions import COMMAND, LONGEST, MOST, commands


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("@signoff review", ["review"]),
        ("  @Signoff   dismiss 3f9a2c1d it is fine", ["dismiss 3f9a2c1d it is fine"]),
        ("Thanks!\r\n\r\n@signoff review", ["review"]),
        ("@signoff: review", ["review"]),
        ("@signoff, review", ["review"]),
        ("@signoff", [""]),
        ("@signoff dismiss a1 x\n@signoff dismiss b2 y\n\n@signoff review", ["dismiss a1 x", "dismiss b2 y", "review"]),
        ("x" * 5000 + "\n@signoff review", ["review"]),
        ("@signoff review <!-- please -->", ["review"]),
        ("<!-- a --> <!-- b -->\n@signoff review", ["review"]),
        ("```\ncode\n```\n@signoff review", ["review"]),
        ("> why?\n\n@signoff review", ["review"]),
        ("text <!-- never ends\n@signoff review", ["review"]),
        ("a <!-- b\n\nno end in this paragraph\n\n@signoff review --> c", ["review --> c"]),
        ("a <!-- b\n> quoted -->\n\n@signoff review", ["review"]),
        ("say `<!--` and\n@signoff review\n`-->` too", ["review"]),
        ("\\<!-- not hidden\n@signoff review\n-->", ["review"]),
        ("    <!-- code\n\n@signoff review", ["review"]),
        ("```\n<!--\n```\n@signoff review", ["review"]),
        ("<!-->\n@signoff review", ["review"]),
        ("<!--->\n@signoff review", ["review"]),
        ("<!-- a\n-->\n@signoff review", ["review"]),
    ],
)
def test_a_command_begins_a_line_with_our_name(body: str, said: list[str]) -> None:
    assert list(commands(body)) == said


@pytest.mark.parametrize(
    "body",
    [
        "> @signoff review",
        "ask @signoff to review",
        "@signoffs review",
        "`@signoff review`",
        "    @signoff review",
        "\t@signoff review",
        "```\n@signoff review\n```",
        "~~~yaml\n@signoff review\n```\n@signoff review\n~~~",
        "````\n```\n@signoff review\n````",
        "```\n@signoff review",
        "<!--\n@signoff review\n-->",
        "<!-- @signoff review -->",
        "text <!-- begins\n@signoff review\nends --> text",
        "<!-- never ends\n@signoff review",
        "   <!-- never ends\n\n@signoff review",
        "text\n<!-- never ends, and interrupts a paragraph\n\n@signoff review",
        "a <!-- b\n@signoff review --> c",
        "<!-- a --><!-- \n -->@signoff review",
        "<!-- a\n--> <!-- b\n\n@signoff review",
        "- <!-- a\n\n@signoff review",
        "<div><!-- a\n\n@signoff review",
        "<!-- a --> <!-- b\n@signoff review -->",
        "<!-- a\n```\n-->\n```\n@signoff review\n```",
    ],
)
def test_what_is_quoted_code_or_commented_out_speaks_to_nobody(body: str) -> None:
    assert commands(body) == ()


def test_what_one_comment_may_ask_is_bounded() -> None:
    assert len(commands("@signoff review\n" * 5000)) == MOST
    assert [len(said) for said in commands("@signoff " + "x" * 60_000)] == [COMMAND]


@given(st.lists(st.sampled_from(["@signoff review", "```", "~~~", "<!--", "-->", ">", " ", "\n", "\r", "`", "x"])))
def test_each_is_one_line_whatever_the_comment_is(pieces: list[str]) -> None:
    for said in commands("".join(pieces)):
        assert "\n" not in said


def seen(body: str) -> list[str]:
    """The commands that people see on GitHub outside of code and quotations, by GitHub's own Markdown."""
    page = cmarkgfm.github_flavored_markdown_to_html(body, options=cmarkgfm.cmark.Options.CMARK_OPT_UNSAFE)
    page = re.sub(r"<!--(?:-?>|.*?(?:-->|\Z))", "", page, flags=re.DOTALL)
    page = re.sub(r"<(pre|code|blockquote)\b.*?</\1>", "`", page, flags=re.DOTALL)
    told = (re.sub(r"^\s*(?:<[^>]*>\s*)*", "", line) for line in page.split("\n"))
    return [line for line in told if line.startswith("@signoff review")]


PIECES = [
    "@signoff review",
    "@signoff review\n",
    "\n@signoff review\n",
    "x",
    "<!--",
    "-->",
    "\n",
    "\n\n",
    " ",
    "`",
    "``",
]
MORE = ["> ", "- ", "    ", "```\n", "\\", "<div>", "# ", "\t", "[a]: b '", "'", "1. ", "---", "<!-->"]


@given(st.lists(st.sampled_from(PIECES + MORE), max_size=14).map("".join))
@settings(max_examples=200)
def test_what_nobody_sees_is_never_obeyed(body: str) -> None:
    assert len(commands(body)) <= len(seen(body)), commands(body)


@given(st.lists(st.sampled_from(["@signoff review", "x", "<!-- ", " -->", "\n", "\n\n"]), max_size=14).map("".join))
@settings(max_examples=200)
def test_what_people_see_is_obeyed(body: str) -> None:
    # A comment that begins behind another one and goes on below leaves in doubt where it ends.
    assume(not re.search(r"-->[^\n]*<!--(?![^\n]*-->)", body))
    assert list(commands(body)) == [
        html.unescape(line.removesuffix("</p>").removeprefix("@signoff ").strip()) for line in seen(body)
    ]


def test_what_is_shown_letter_by_letter_or_not_at_all_is_not_obeyed() -> None:
    for tag in ("pre", "PRE class=x", "script", "style", "textarea"):
        name = tag.partition(" ")[0]
        hidden = f"<{tag}>\n@signoff review\n\n@signoff review\n"
        assert commands(hidden) == ()
        assert commands(f"{hidden}</{name}>\n\n@signoff rerun") == ("rerun",)
    assert commands("<pre>x</pre>\n\n@signoff review") == ("review",)
    assert commands("<preview>\n\n@signoff review") == ("review",)


def test_the_longest_comment_is_read_in_no_time() -> None:
    for piece in ("<!--", "`", "`a``b", "<!-- -->", "\\", "- ", "<!-- \n", "-->\n", "[", "*"):
        begun = time.process_time()
        commands(piece * (LONGEST // len(piece)))
        assert time.process_time() - begun < 1.0, piece
