"""An alert group's id: the same for one source and groupKey, another for any other pair."""

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alert import group_id

words = st.text("ab:1{}", max_size=4)


@given(words, words, words, words)
def test_only_the_same_source_and_key_have_the_same_id(source, key, other_source, other_key) -> None:
    same = (source, key) == (other_source, other_key)
    assert (group_id(source, key) == group_id(other_source, other_key)) is same


def test_it_is_short_however_long_the_key_is() -> None:
    assert len(group_id("prod", "x" * 65_536)) == 25
