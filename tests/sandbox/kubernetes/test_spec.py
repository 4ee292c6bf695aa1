import pytest

from bot.sandbox.kubernetes.spec import ImageBehaviour


def test_a_behaviour_is_read_from_json():
    data = {"exits_after": 2, "exit_code": 3, "exit_log": ["panic", {"base64": "//4="}], "ready_after": None}
    assert ImageBehaviour.from_json(data) == ImageBehaviour(
        exits_after=2, exit_code=3, exit_log=("panic", b"\xff\xfe"), ready_after=None
    )


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"explodes": True}, "no field 'explodes'"),
        ({"exit_code": "1"}, "exit_code: str"),
        ({"exit_code": True}, "exit_code: bool"),
        ({"start_log": "line"}, "start_log: str"),
        ({"start_log": [1]}, "a log line is"),
        ({"start_log": [{"base64": "?"}]}, "base64"),
        ({"ready_after": -1}, "not negative"),
        ({"steady_every": 0}, "steady_every"),
    ],
)
def test_what_does_not_fit_is_named(data, why):
    with pytest.raises(ValueError, match=why):
        ImageBehaviour.from_json(data)
