"""Keys: the first signs, all check, a signature fits one purpose, and no key is in any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.keys import Keys

OLD, NEW = "a" * 31 + "1", "b" * 31 + "2"


@pytest.mark.parametrize("text", [f"new:{NEW},old:{OLD}", f"new:{NEW}\nold:{OLD}\n", f" new:{NEW} , old:{OLD}"])
def test_the_first_key_signs_and_all_check(text: str) -> None:
    both, old = Keys.read(text), Keys.read(f"old:{OLD}")
    assert both.ids == ("new", "old")
    assert both.sign("votes", b"x").startswith("new:")
    assert both.fault("votes", b"x", old.sign("votes", b"x")) == ""
    assert both.fault("votes", b"x", both.sign("votes", b"x")) == ""
    said = old.fault("votes", b"x", both.sign("votes", b"x"))
    assert said == "it is signed with the key 'new', which SIGNOFF_SECRET_KEY does not hold"


def test_two_keys_of_one_id_are_two_keys() -> None:
    signed = Keys.read(f"k:{OLD}").sign("votes", b"x")
    assert Keys.read(f"k:{NEW}").fault("votes", b"x", signed) == "its signature does not match"


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_a_signature_fits_what_was_signed_and_nothing_else(data: bytes, other: bytes) -> None:
    keys = Keys.read(f"k:{OLD}")
    signed = keys.sign("votes", data)
    assert (keys.fault("votes", other, signed) == "") == (data == other)
    assert keys.fault("approvals", data, signed) == "its signature does not match"
    for broken in ("", signed[:-1], signed[2:], signed + "0"):
        assert keys.fault("votes", data, broken) != ""


@pytest.mark.parametrize(
    "text", ["", ",", OLD, f":{OLD}", f"k:{OLD[:-1]}", f"k:{OLD},k:{NEW}", f"k:{OLD},{NEW}", f"a b:{OLD}"]
)
def test_what_cannot_be_read_is_said_without_a_key(text: str) -> None:
    with pytest.raises(ValueError, match=r"ID:KEY|given twice") as raised:
        Keys.read(text)
    assert "aaaa" not in str(raised.value)
    assert "bbbb" not in str(raised.value)


def test_no_key_is_in_a_text_made_of_them() -> None:
    assert OLD not in repr(Keys.read(f"k:{OLD}"))
