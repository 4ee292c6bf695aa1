from hypothesis import given, settings
from hypothesis import strategies as st

from bot.condense.logs.grouping import group
from bot.condense.logs.shape import shape
from bot.condense.logs.templates import spell


def templates(*messages: str) -> set[str]:
    return {spell(template) for template in group(map(shape, messages)).values()}


def test_states_stay_apart_while_they_are_few() -> None:
    assert len(templates("link eth went up", "link eth went down")) == 2
    assert len(templates(*(f"[instance: 1] VM {state}" for state in ("Started", "Paused", "Resumed", "Stopped")))) == 4


def test_a_place_with_many_different_words_varies() -> None:
    words = ("red", "green", "blue", "black", "white")
    assert templates(*(f"the lamp turned {word} again" for word in words)) == {"the lamp turned <*> again"}


def test_behind_a_noun_that_announces_a_name_fewer_words_prove_it() -> None:
    assert templates(*(f"session closed for user {user}" for user in ("root", "news", "cyrus"))) == {
        "session closed for user <*>"
    }


def test_names_vary_on_two() -> None:
    assert templates("start com.acme.cart now", "start com.acme.web.pay now") == {"start <*> now"}


def test_a_word_joins_a_star() -> None:
    assert templates("chdir(/p/gb2/x) failed hard", "chdir(pwd) failed hard") == {"chdir(<*>) failed hard"}


def test_an_empty_value_joins_a_star() -> None:
    assert templates("connection from 1.2.3.4 () here", "connection from 1.2.3.4 (9.example.net) here") == {
        "connection from <*> (<*>) here"
    }


def test_several_places_vary_at_once_where_hardly_a_word_comes_twice() -> None:
    assert templates(*(f"user{chr(n)}x logs in at host{chr(n)}y.example" for n in range(97, 117))) == {
        "<*> logs in at <*>"
    }


def test_messages_of_one_length_are_not_one_message() -> None:
    kernel = ("Probing PCI hardware", "Using configuration type", "Transparent bridge found", "Invalid routing table")
    kernel += ("Bus number assigned", "Device not ready", "Enabling bus mastering", "Cannot allocate resource")
    kernel += ("Ignoring BIOS settings", "Setting latency timer", "Sharing interrupt lines", "Scanning behind bridge")
    assert len(templates(*(f"PCI: {message}" for message in kernel))) == len(kernel)


def test_exceptions_constants_and_truth_values_do_not_vary() -> None:
    assert len(templates("caught java.io.IOException: gone", "caught java.net.SocketException: gone")) == 2
    assert len(templates("action: intent.SCREEN_ON", "action: intent.SCREEN_OFF")) == 2
    assert len(templates("enabled=true for 1", "enabled=false for 1")) == 2


WORDS = ["a", "b", "c", "user", "root", "news", "x.y.z", "q-r-s", "1", "2", "=3", "(4)", "/p/q", "true"]
messages = st.lists(st.sampled_from(WORDS), max_size=6)


@given(st.lists(messages.map(" ".join), max_size=30))
@settings(max_examples=100)
def test_every_shape_gets_one_template_of_at_least_its_stars(lines: list[str]) -> None:
    shapes = [shape(line) for line in lines]
    groups = group(shapes)
    assert set(groups) == set(shapes)
    assert group(shapes) == groups
    for form, template in groups.items():
        assert template.count("*") >= form.count("*") or len(template) != len(form)
