import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intake.mentions import COMMAND, MOST, commands


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
        assert "<!--" not in said
