import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.kubernetes.rollout import (
    Bounds,
    Set,
    has_progressed,
    is_complete,
    new_size,
    old_sizes,
    proportional_sizes,
    scaled,
)


def spec(replicas, surge, unavailable):
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}


@pytest.mark.parametrize(
    ("value", "total", "up", "result"),
    [("25%", 3, True, 1), ("25%", 3, False, 0), ("50%", 4, True, 2), (2, 10, True, 2), ("100%", 3, False, 3)],
)
def test_percentages_round_up_for_surge_and_down_for_absence(value, total, up, result):
    assert scaled(value, total, up=up) == result


def test_a_rollout_may_always_move():
    assert Bounds.of(spec(3, "0%", "10%")) == Bounds(3, 0, 1)


def test_recreate_takes_everything_down():
    assert Bounds.of({"replicas": 3, "strategy": {"type": "Recreate"}}) == Bounds(3, 0, 3)


def test_three_replicas_with_a_quarter_go_one_by_one():
    bounds = Bounds.of(spec(3, "25%", "25%"))
    assert bounds == Bounds(3, 1, 0)
    assert new_size(bounds, 0, [3]) == 1
    assert old_sizes(bounds, Set(1, 0), [Set(3, 3)]) == [3], "nothing goes while the new pod is not ready"
    assert old_sizes(bounds, Set(1, 1), [Set(3, 3)]) == [2]


def test_the_example_in_the_controllers_own_comment():
    # 10 replicas, 2 unavailable, 3 surge; the new set crash-loops, somebody rolls back: the five broken
    # pods of what is now an old set may go as far as ten stay minus the one that is down.
    bounds = Bounds(10, 3, 2)
    assert old_sizes(bounds, Set(8, 7), [Set(5, 0)]) == [1]


@settings(max_examples=150)
@given(st.data())
def test_a_rollout_keeps_its_bounds_and_ends(data):
    replicas = data.draw(st.integers(0, 12))
    surge, unavailable = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 5))
    bounds = Bounds.of(spec(replicas, surge, unavailable))
    new, old = 0, [replicas]
    for _ in range(100):
        grown = new_size(bounds, new, old)
        if grown == new:
            old = old_sizes(bounds, Set(new, new), [Set(size, size) for size in old])
        new = grown
        assert new + sum(old) <= bounds.replicas + bounds.surge
        assert new + sum(old) >= bounds.replicas - bounds.unavailable
    assert (new, sum(old)) == (replicas, 0)


@settings(max_examples=150)
@given(st.data())
def test_a_rollout_that_never_gets_ready_keeps_enough_of_the_old(data):
    replicas = data.draw(st.integers(1, 12))
    bounds = Bounds.of(spec(replicas, data.draw(st.integers(0, 5)), data.draw(st.integers(0, 5))))
    new, old = 0, [replicas]
    for _ in range(50):
        new = new_size(bounds, new, old)
        old = old_sizes(bounds, Set(new, 0), [Set(size, size) for size in old])
        assert sum(old) >= bounds.replicas - bounds.unavailable


@settings(max_examples=100)
@given(st.lists(st.integers(1, 8), min_size=2, max_size=4), st.integers(0, 20), st.integers(0, 4))
def test_a_change_of_size_is_spread_over_all_sets(sizes, replicas, surge):
    bounds = Bounds(replicas, surge, 0 if surge else 1)
    wanted = replicas + surge if replicas else 0
    spread = proportional_sizes(bounds, sizes, [sum(sizes)] * len(sizes))
    assert all(size >= 0 for size in spread)
    if wanted >= sum(sizes):
        assert sum(spread) == wanted
    else:  # what rounding leaves over is taken from one set only, as the controller does; the rollout does the rest
        assert wanted <= sum(spread) < sum(sizes)


def test_complete_means_all_new_and_all_available():
    done = {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}
    assert is_complete({"replicas": 3}, done)
    assert not is_complete({"replicas": 3}, {**done, "replicas": 4})
    assert not is_complete({"replicas": 3}, {**done, "availableReplicas": 2})
    assert is_complete({"replicas": 0}, {})


def test_progress_is_anything_that_moved_forward():
    before = {"replicas": 4, "updatedReplicas": 1, "readyReplicas": 3}
    assert has_progressed(before, {**before, "updatedReplicas": 2})
    assert has_progressed(before, {**before, "readyReplicas": 4})
    assert has_progressed(before, {**before, "replicas": 3})
    assert not has_progressed(before, before)
    assert not has_progressed(before, {**before, "readyReplicas": 2})
