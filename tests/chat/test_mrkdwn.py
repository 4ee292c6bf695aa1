import re

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat import mrkdwn

HOSTILE = "<!channel> <@U0LEE> <https://evil.example|prod> *bold* `code` & \u202egnp.exe \u200bhidden \x07bell"


def test_escaping_takes_the_meaning_from_slacks_three_characters() -> None:
    assert mrkdwn.escape("<!channel> & <@U1>") == "&lt;!channel&gt; &amp; &lt;@U1&gt;"


def test_one_line_without_control_bidi_or_invisible_characters() -> None:
    assert mrkdwn.plain("a\r\nb\t c\u202ed\u200be\x00", 100) == "a b cde"


def test_line_breaks_stay_where_lines_matter() -> None:
    assert mrkdwn.lines("a\r\nb\u2028c\rd\x1b[31m") == "a\nb\nc\nd[31m"


def test_emoji_of_several_parts_survive() -> None:
    assert mrkdwn.plain("on call: 👩‍🚒", 50) == "on call: 👩‍🚒"


def test_a_cut_never_splits_an_entity() -> None:
    assert mrkdwn.shorten_escaped("ab&amp;cd", 5) == "ab…"
    assert mrkdwn.shorten_escaped("ab&amp;cd", 8) == "ab&amp;…"
    assert mrkdwn.shorten_escaped("ab&amp;cd", 9) == "ab&amp;cd"


def test_a_text_that_does_not_fit_ends_with_a_whole_sentence() -> None:
    text = "The image cannot be pulled. It came with v1.2.3. The kubelet says: not found"
    assert mrkdwn.sentences(text, 200) == text
    assert mrkdwn.sentences(text, 60) == "The image cannot be pulled. It came with v1.2.3. …"
    assert mrkdwn.sentences(text, 40) == "The image cannot be pulled. …"
    assert mrkdwn.sentences(text, 20) == "The image cannot be…"


@given(st.text(alphabet="ab .!\n\u202e", max_size=80), st.integers(1, 40))
def test_whole_sentences_never_exceed_the_limit(text: str, limit: int) -> None:
    assert len(mrkdwn.sentences(text, limit)) <= limit


def test_exact_forms_tell_look_alikes_apart() -> None:
    assert mrkdwn.exact("shop") == '"shop"'
    assert mrkdwn.exact("ѕhop") == '"\\u0455hop"'  # a Cyrillic letter
    assert mrkdwn.name("shop/checkout-1.2") == "shop/checkout-1.2"
    assert mrkdwn.name("check out") == '"check out"'
    assert mrkdwn.name("") == '""'
    assert mrkdwn.visible("a\n\tb\u202ec") == "a\n\tb\\u202ec"


def test_times_carry_utc_for_those_who_cannot_see_them_in_their_zone() -> None:
    assert mrkdwn.date(1_795_255_320_000_000) == "<!date^1795255320^{date_short_pretty} {time}|2026-11-21 10:02 UTC>"
    assert mrkdwn.clock_utc(1_795_255_320_000_000) == "10:02 UTC"


def test_spans_are_written_as_people_say_them() -> None:
    second = 1_000_000
    spans = (0, 59, 60, 3599, 3600, 4800, 86_400, 100_800)
    said = ["0 s", "59 s", "1 min", "59 min", "1 h", "1 h 20 min", "1 d", "1 d 4 h"]
    assert [mrkdwn.duration(span * second) for span in spans] == said
    assert mrkdwn.duration(-5 * second) == "0 s"


@given(st.text(max_size=300), st.integers(0, 120))
@settings(max_examples=100)
def test_a_push_line_has_no_markup_and_keeps_its_bound(text: str, limit: int) -> None:
    line = mrkdwn.push(HOSTILE[: limit % 60] + text, limit)
    assert len(line) <= limit
    assert not re.search(r"[<>\n\u202e\u200b]", line)
    assert "&" not in re.sub(r"&(amp|lt|gt);", "", line)


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=100)
def test_two_identifiers_are_written_alike_only_if_they_are_alike(one: str, other: str) -> None:
    assert (mrkdwn.name(one) == mrkdwn.name(other)) == (one == other)
    assert mrkdwn.name(one).isascii()


@given(st.text(max_size=100), st.integers(0, 50))
@settings(max_examples=100)
def test_shortening_never_exceeds_the_limit_and_keeps_what_fits(text: str, limit: int) -> None:
    cut = mrkdwn.shorten(text, limit)
    assert len(cut) <= limit
    assert cut == text or cut == "" or cut.endswith("…")
