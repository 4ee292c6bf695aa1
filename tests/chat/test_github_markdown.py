"""A stranger's text in GitHub's Markdown, judged by GitHub's own renderer and by what GitHub does after it."""

import html
import re

import cmarkgfm
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.chat.github_markdown import code, exact_fence, fenced, folded, prose, within
from bot.chat.mrkdwn import plain

PIECES = [
    "@", "#", "`", "``", "$", "GH-", "12", "://", "https", "www.", "evil.example", ":", "octocat", "[", "]", "(", ")",
    "!", "<", ">", "<!--", "-->", "<img src=x>", "&lt;", "&#64;", "*", "_", "~~", "|", "\\", " ", "\n", "\n\n", "    ",
    "a", "deadbeef1", "-", "1.", "=", "+", "^", "mailto:", "a@b.co", "\u200b", "\u202e", "é", "[^1]", "> [!NOTE]",
    "javascript:", "data:", "'", '"', "/", "a/b#1", "```suggestion", "---", "\t", "&", ";",
]  # fmt: skip
HOSTILE = st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text(max_size=60)


def rendered(markdown: str) -> str:
    return cmarkgfm.github_flavored_markdown_to_html(markdown)


def outside_code(page: str) -> str:
    return html.unescape(re.sub(r"<(code|pre)\b[^>]*>.*?</\1>", " ", page, flags=re.DOTALL))


def seen(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", page))


@given(HOSTILE)
@example("1. a")
@example("12www.")
@example("&#64;me")
@example("`` `@me")
def test_a_strangers_text_becomes_nothing_but_text(text):
    page = rendered(prose(text, 500))
    assert set(re.findall(r"<(/?\w+)", page)) <= {"p", "/p", "code", "/code"}
    said = outside_code(page)
    assert not re.search(r"@|#\d|GH-\d|://|www\.|:\w+:|\$|\b[0-9a-f]{7,40}\b", said, re.I), page


@given(HOSTILE)
def test_and_all_of_it_is_seen(text):
    def bare(said: str) -> str:
        return "".join(said.split())

    assert bare(seen(rendered(prose(text, 500)))) == bare(plain(text, 500))


@given(HOSTILE)
def test_it_stays_text_behind_words_of_ours_and_in_a_list(text):
    page = rendered(f"- **high** {prose(text, 300)}\n- next")
    assert page.count("<li>") == 2
    assert set(re.findall(r"<(\w+)", page)) <= {"ul", "li", "strong", "code"}


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("Pods are not ready.", "Pods are not ready."),
        ("ask @ops about #12", "ask `@ops` about `#12`"),
        ("see https://evil.example now", "see `https://evil.example` now"),
        ("limits_memory * 2", "limits\\_memory \\* 2"),
        ("since 1234567 and a1b2c3d", "since `1234567` and `a1b2c3d`"),
        ("", ""),
    ],
)
def test_ordinary_words_stay_readable(text, markdown):
    assert prose(text, 200) == markdown


@given(st.text(max_size=80))
def test_a_code_span_shows_its_text(text):
    page = rendered(f"a {code(text)} b").strip()
    inner = re.fullmatch(r"<p>a <code>(.*)</code> b</p>", page)
    assert inner, page
    assert html.unescape(inner[1]) == (plain(text, 300) or "(blank)")


@given(HOSTILE)
def test_a_block_of_code_shows_its_lines_and_nothing_steps_out_of_it(text):
    page = rendered(f"before\n\n{fenced(text)}\n\nafter")
    assert re.fullmatch(r"<p>before</p>\n<pre><code>.*</code></pre>\n<p>after</p>\n", page, re.DOTALL), page


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=80))
def test_an_exact_block_holds_its_text_to_the_byte(text):
    page = rendered(exact_fence(text, "suggestion"))
    inner = re.fullmatch(r'<pre lang="suggestion"><code>(.*)</code></pre>\n', page, re.DOTALL)
    assert inner, page
    assert html.unescape(inner[1]) == (f"{text}\n" if text else "")


def test_a_folded_part_is_rendered_inside():
    assert "<li>one</li>" in rendered(folded("2 more", "- one\n- two"))


def test_what_does_not_fit_is_left_out_whole():
    assert within(100, "a", "", "b") == "a\n\nb"
    assert within(23, "a" * 10, "b" * 10) == "a" * 10
    assert within(60, "é" * 20, "é" * 20) == "é" * 20
