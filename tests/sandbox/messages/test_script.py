import pytest

from bot.sandbox.messages.script import Answer, Script


def scripted(*answers):
    script = Script()
    script.add([Answer.from_json(answer) for answer in answers])
    return script


def texts(script, *requests):
    found = [script.take(model, text) for model, text in requests]
    return [answer and answer.value for answer in found]


def test_answers_come_in_order_and_once():
    script = scripted({"text": "one"}, {"text": "two", "times": 2})
    assert texts(script, *[("m", "q")] * 4) == ["one", "two", "two", None]


def test_rules_come_first_and_may_stay():
    script = scripted({"text": "queue"}, {"text": "rule", "contains": "disk", "times": None})
    assert texts(script, ("m", "the disk is full"), ("m", "else"), ("m", "disk"), ("m", "else")) == [
        "rule",
        "queue",
        "rule",
        None,
    ]


def test_an_answer_may_be_for_one_model():
    script = scripted({"text": "big", "model": "opus"})
    assert texts(script, ("haiku", "q"), ("opus", "q")) == [None, "big"]


def test_too_many_are_refused():
    script = scripted(*[{"text": "x"}] * 1000)
    with pytest.raises(ValueError, match="at most 1000"):
        script.add([Answer("text", "x")])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ([], "is an object"),
        ({}, "exactly one of"),
        ({"text": "a", "json": 1}, "exactly one of"),
        ({"text": 1}, "has to be a string"),
        ({"raw": None}, "has to be a string"),
        ({"drop": False}, "has to be true"),
        ({"refusal": {"category": "rude"}}, "a category of"),
        ({"error": {"status": 200}}, "status of 400"),
        ({"text": "a", "stop_reason": "tired"}, "stop_reason is one of"),
        ({"text": "a", "delay": 601}, "delay is"),
        ({"text": "a", "times": 0}, "times is"),
        ({"text": "a", "usage": {"input_tokens": "many"}}, "usage is"),
        ({"text": "a", "mood": "good"}, "no field 'mood'"),
    ],
)
def test_what_is_no_answer(data, why):
    with pytest.raises(ValueError, match=why):
        Answer.from_json(data)
