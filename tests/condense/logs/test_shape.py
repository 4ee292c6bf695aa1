import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.condense.logs.shape import shape
from bot.condense.logs.templates import spell

MESSAGES = {
    "Received block blk_-1608999687919862906 of size 91178 from /10.250.14.224": (
        "Received block blk<*> of size <*> from <*>"
    ),
    "Got 10.251.43.21:50010, 10.251.43.22:50010": "Got <*>",
    "took 3200ms, 51.5 KB": "took <*>",
    "session 0x14f05578bd8 closed": "session <*> closed",
    "instance b9000564-fe1a-409b-b8cc-1e88b294cd1d gone": "instance <*> gone",
    "chip FF:F2:9F:16:E2:23:00:0D ok": "chip <*> ok",
    "connection from 24.54.76.2 at Fri Jun 17 07:07:00 2005": "connection from <*> at <*>",
    "open /var/log/app.log: no such file": "open <*>: no such file",
    "GET https://vault.internal:8200/v1?x=1 refused": "GET <*> refused",
    "retry delay=-1": "retry delay=<*>",
    'pulled name="my app" in 3 s': "pulled name=<*> in <*> s",
    'failed err="connection refused"': 'failed err="connection refused"',
    "java.io.IOException: broken": "java.io.IOException: broken",
    "tree/torus link z+ wire": "tree/torus link z+ wire",
    "": "",
}


@pytest.mark.parametrize("message", MESSAGES)
def test_what_varies_by_its_form_becomes_a_star(message: str) -> None:
    assert spell(shape(message)) == MESSAGES[message]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Deleting 3 blocks: blk_1 blk_2 blk_3", "Deleting 1 blocks: blk_9"),
        ("REPORT : 7007 5002 150089 240", "REPORT : 1 2"),
        ("index:0", "index:-1"),
        ("vis=0 mask=1", "vis=40000500 mask=ffffffff"),
    ],
)
def test_messages_that_differ_in_values_only_have_one_shape(one: str, other: str) -> None:
    assert shape(one) == shape(other)


@given(st.text(max_size=200), st.integers(0, 10**9), st.integers(0, 10**9))
@settings(max_examples=100)
def test_a_number_never_matters(text: str, one: int, other: int) -> None:
    assert shape(f"count {one} of {text}") == shape(f"count {other} of {text}")


@given(st.text(max_size=300))
@settings(max_examples=200)
def test_any_text_has_a_shape_without_empty_tokens(text: str) -> None:
    assert all(shape(text))
