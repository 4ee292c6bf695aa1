"""Tests for refusals: what may be planned in a while without anybody's doing."""

from __future__ import annotations

import pytest

from bot.runbooks.refusal import Refusal


@pytest.mark.parametrize("code", ["unreachable", "unavailable", "busy", "limited", "conflict", "not-observed"])
def test_a_world_that_could_not_be_read_or_is_changing_passes(code: str) -> None:
    assert Refusal(code, "Cluster prod did not answer in time.").passing


@pytest.mark.parametrize("code", ["parameters", "forbidden", "not-found", "precondition", "owned", "too-many"])
def test_what_somebody_has_to_mend_does_not_pass_by_itself(code: str) -> None:
    assert not Refusal(code, "There is no Deployment shop/checkout.").passing
