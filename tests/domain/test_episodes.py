"""Episodes of one alert: it fires at most once at a time, whatever was lost, repeated or late."""

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.episodes import Episode, settle


def firing(start: int) -> Episode:
    return Episode(start, "firing")


def resolved(start: int, end: int | None = None) -> Episode:
    return Episode(start, "resolved", end)


def after(*incoming: Episode) -> dict[int, Episode]:
    state: dict[int, Episode] = {}
    for episode in incoming:
        state = settle(state, [episode])
    return state


def test_it_fires_and_is_resolved() -> None:
    assert after(firing(10)) == {10: firing(10)}
    assert after(firing(10), resolved(10, 15)) == {10: resolved(10, 15)}


def test_a_repeated_or_late_firing_does_not_undo_a_resolution() -> None:
    assert after(firing(10), resolved(10, 15), firing(10)) == {10: resolved(10, 15)}
    assert after(resolved(10, 15), firing(10)) == {10: resolved(10, 15)}


def test_the_first_end_that_was_told_stays() -> None:
    assert after(resolved(10, 15), resolved(10, 19)) == {10: resolved(10, 15)}


def test_a_refire_is_an_episode_of_its_own() -> None:
    assert after(firing(10), resolved(10, 15), firing(20)) == {10: resolved(10, 15), 20: firing(20)}


def test_an_episode_whose_end_was_never_told_is_over_when_the_next_one_begins() -> None:
    assert after(firing(10), firing(20)) == {10: resolved(10, 20), 20: firing(20)}
    assert after(firing(10), resolved(20, 25)) == {10: resolved(10, 20), 20: resolved(20, 25)}


def test_an_old_episode_that_comes_late_is_over_already() -> None:
    assert after(firing(20), firing(10)) == {10: resolved(10, 20), 20: firing(20)}


def test_a_start_that_moved_back_while_alertmanager_merged_ends_with_the_alert() -> None:
    """Two Prometheis send one alert with two starts: Alertmanager keeps the earlier one from then on."""
    assert after(firing(20), firing(10), resolved(10, 30)) == {10: resolved(10, 20), 20: resolved(20, 30)}


def test_the_end_of_an_old_episode_ends_no_newer_one() -> None:
    assert after(firing(20), resolved(10, 15))[20] == firing(20)
    assert after(firing(20), resolved(10, None))[20] == firing(20)


def test_a_firing_alert_is_never_swallowed_because_an_older_end_lies_ahead_of_it() -> None:
    """An alert that timed out has an end in the future of its last sending: a new start before that still counts."""
    assert after(resolved(10, 40), firing(30))[30] == firing(30)


def test_an_end_that_was_only_concluded_is_undone_by_whoever_says_that_it_fires() -> None:
    concluded = {10: Episode(10, "resolved", 15, concluded=True)}
    assert settle(concluded, [firing(10)]) == {10: firing(10)}
    assert settle(concluded, [resolved(10, 14), firing(10)]) == {10: resolved(10, 14)}, "but not once its end was told"
    assert settle(concluded, [firing(20), firing(10)]) == {10: resolved(10, 20), 20: firing(20)}


episodes = st.lists(
    st.builds(
        lambda start, status, length: Episode(start, status, start + length if status == "resolved" else None),
        st.integers(0, 12).map(lambda n: n * 10),
        st.sampled_from(["firing", "resolved"]),
        st.integers(0, 9),
    ),
    max_size=12,
)


@given(episodes)
def test_at_most_the_newest_start_fires(history: list[Episode]) -> None:
    state = after(*history)
    assert [start for start, episode in state.items() if episode.status == "firing"] in ([], [max(state, default=0)])
    assert set(state) == {episode.starts_at for episode in history}


@given(episodes, st.randoms())
def test_neither_order_nor_repetition_changes_what_fires(history: list[Episode], random) -> None:
    shuffled = history + random.sample(history, len(history) // 2)
    random.shuffle(shuffled)
    statuses = {start: episode.status for start, episode in after(*history).items()}
    assert {start: episode.status for start, episode in after(*shuffled).items()} == statuses


@given(episodes)
def test_one_body_or_many_is_the_same(history: list[Episode]) -> None:
    assert settle({}, history) == after(*history)


@given(episodes)
def test_what_is_resolved_stays_as_it_is(history: list[Episode]) -> None:
    state: dict[int, Episode] = {}
    for episode in history:
        before, state = state, settle(state, [episode])
        for start, known in before.items():
            assert known.status == "firing" or state[start] == known
