"""Targets and parameters by name: all of them, and each can be told from every other."""

from __future__ import annotations

from bot.chat.plan_names import TARGETS_TEXT, matter_name, object_name, parameter_texts, target_texts
from tests.chat.samples import record, target


def test_one_target_is_named_and_several_are_counted() -> None:
    assert object_name(record()) == "shop/checkout"
    assert object_name(record(targets=[target("web"), target("cart")])) == "2 objects"
    assert object_name({}) == "0 objects"


def test_targets_are_named_in_full_as_long_as_they_fit() -> None:
    (text,) = target_texts(record(targets=[target("web")]))
    assert text.startswith("Deployment shop/web (apps/v1, uid ")
    many = target_texts(record(targets=[target(f"web-{n:04}") for n in range(200)]))
    assert sum(len(each) for each in many) <= TARGETS_TEXT
    assert many == [f"Deployment shop/web-{{{','.join(f'{n:04}' for n in range(200))}}}"]


def test_a_name_that_could_be_read_as_several_is_written_by_itself() -> None:
    sly = [target("a,b"), *(target(f"web-{n:04}") for n in range(200))]
    named = target_texts(record(targets=sly))
    assert 'Deployment shop/"a,b"' in named
    assert len(named) == len(sly), "beside it nothing is drawn together"


def test_revision_zero_is_told_as_what_it_means() -> None:
    for parameters, means in (({"revision": 0}, True), ({"revision": 3, "replicas": 0, "revisions": 0}, False)):
        plan = record(parameters=parameters)
        assert ("(the one before)" in " ".join(parameter_texts(plan))) == means


def test_what_belongs_to_no_incident_says_so() -> None:
    assert matter_name({}) == matter_name({"matter": 7}) == "no incident"
