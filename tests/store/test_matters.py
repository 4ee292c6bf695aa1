"""What a request is about is found by its row, whichever it is, and is open as long as something has to be done."""

from dataclasses import replace

import pytest

from bot.domain.ci import CiRun
from bot.domain.github import RunEvent
from bot.store import ci, matters
from bot.store.database import Database

RUN = RunEvent("shop/deploy", 55, 1, "Deploy", "", "a" * 40, "main", "failure", "u", (), True, 1000)


def keep(database: Database, **changed: object) -> CiRun:
    """Store a run that ended."""
    event = replace(RUN, **changed)

    def store(connection):
        return ci.get(connection, ci.accept(connection, event)[0])

    return database.write_now(store)


def is_open(database: Database, run: CiRun) -> bool:
    return database.read_now(lambda connection: matters.is_open(connection, run))


def test_a_run_is_found_by_its_id_and_named_as_people_name_it(database: Database):
    run = keep(database)
    found = database.read_now(lambda connection: matters.get(connection, run.id))
    assert (found, found.name) == (run, "shop/deploy run 55")
    assert keep(database, attempt=2).name == "shop/deploy run 55, attempt 2"
    assert database.read_now(lambda connection: matters.find(connection, "nothing")) is None
    with pytest.raises(LookupError, match="nothing"):
        database.read_now(lambda connection: matters.get(connection, "nothing"))


@pytest.mark.parametrize(
    ("later", "still"),
    [
        ({"run_id": 56}, False),
        ({"run_id": 56, "conclusion": "success"}, False),
        ({"attempt": 2, "conclusion": "cancelled"}, False),
        ({"run_id": 56, "repository": "Shop/Deploy"}, False),
        ({"run_id": 56, "conclusion": "cancelled"}, True),
        ({"run_id": 54}, True),
        ({"run_id": 56, "workflow": "Tests"}, True),
        ({"run_id": 56, "branch": "change", "on_default": False}, True),
        ({"run_id": 56, "repository": "shop/other"}, True),
    ],
)
def test_a_failed_run_is_open_until_a_later_one_of_its_workflow_tells_more(
    database: Database, later: dict[str, object], still: bool
):
    run = keep(database)
    assert is_open(database, run)
    newer = keep(database, **later)
    assert is_open(database, run) is still
    assert (run in database.read_now(lambda connection: ci.overtaken(connection, newer))) is not still


def test_a_run_that_passed_is_never_open(database: Database):
    assert not is_open(database, keep(database, conclusion="success"))
