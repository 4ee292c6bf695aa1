"""The hash of an audit event covers every field."""

import hashlib

import pytest

from bot.domain.audit import GENESIS, chain_hash

EVENT = {
    "seq": 1,
    "at": 5,
    "kind": "vote.approved",
    "actor": "T1:U1",
    "subject": "A-1",
    "data": {"x": 1},
    "previous": GENESIS,
}


@pytest.mark.parametrize("field", EVENT)
def test_every_field_counts(field: str) -> None:
    other = {"seq": 2, "at": 6, "data": {"x": 2}}.get(field, "something else")
    assert chain_hash(**EVENT | {field: other}) != chain_hash(**EVENT)


def test_anybody_can_compute_it_from_the_row() -> None:
    row = '{"actor":"T1:U1","at":5,"data":{"x":1},"kind":"vote.approved","previous":"%s","seq":1,"subject":"A-1"}'
    assert chain_hash(**EVENT) == hashlib.sha256((row % GENESIS).encode()).hexdigest()
