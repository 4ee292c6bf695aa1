from hypothesis import given, settings

from bot.condense.diff.order import Plan
from bot.condense.diff.pack import prepare
from bot.condense.diff.parse import parse
from tests.condense.diff.diffs import change, diffs

HARMLESS = change("src/calm.py", ["a = 1", "b = 2"], ["a = 1", "b = 3"])
POLICY = change("deploy/np.yaml", ["kind: NetworkPolicy", "spec: {}"], [])
LOCK = change("yarn.lock", ["x@1", "y@1"], ["x@2", "y@1"])
DOCS = change("README.md", ["hello"], ["hello world"])
RENAMED = "diff --git a/k8s/a.yaml b/k8s/b.yaml\nsimilarity index 100%\nrename from k8s/a.yaml\nrename to k8s/b.yaml\n"


def planned(text: str) -> Plan:
    return prepare(parse(text))


def first_files(plan: Plan) -> list[str]:
    return list(dict.fromkeys(plan.files[step.file].file.path for step in plan.steps()))


def test_the_riskiest_file_comes_first_and_lock_files_last() -> None:
    plan = planned(LOCK + DOCS + HARMLESS + RENAMED + POLICY)
    assert first_files(plan)[:3] == ["deploy/np.yaml", "src/calm.py", "README.md"]
    assert plan.files[plan.rank[0]].file.path == "deploy/np.yaml"
    assert [plan.files[step.file].file.path for step in plan.steps() if step.whole][-1] == "yarn.lock"


def test_every_file_is_named_even_without_a_line() -> None:
    assert set(first_files(planned(LOCK + RENAMED))) == {"yarn.lock", "k8s/b.yaml"}


def test_something_of_every_hunk_comes_before_all_of_any() -> None:
    old = [f"x{n} = f({n})" for n in range(60)]
    new = [line.replace("f(", "g(") if n < 10 or n > 50 else line for n, line in enumerate(old)]
    steps = list(planned(change("src/a.py", old, new)).steps())
    whole = next(at for at, step in enumerate(steps) if step.whole)
    assert {step.hunk for step in steps[:whole]} == {0, 1, None}


def test_a_line_of_every_hunk_and_what_it_replaces_comes_before_more_of_any() -> None:
    old = [f"x{n} = f({n})" for n in range(60)]
    new = [line.replace("f(", "g(") if n < 10 or n > 50 else line for n, line in enumerate(old)]
    steps = list(planned(change("src/a.py", old, new)).steps())
    more = next(at for at, step in enumerate(steps) if len(step.lines) > 2)
    assert {(step.hunk, len(step.lines)) for step in steps[:more]} == {(0, 2), (1, 2)}


def test_of_hunks_that_tell_as_much_the_shortest_comes_first() -> None:
    old = [f"l{n}" for n in range(60)]
    new = ["1" * 90 if n == 5 else "2" * 30 if n == 25 else "3" * 60 if n == 45 else line for n, line in enumerate(old)]
    steps = list(planned(change("src/a.py", old, new)).steps())
    assert [step.hunk for step in steps[:4]] == [0, 1, 2, 0]


def test_a_file_full_of_risks_does_not_hide_the_others() -> None:
    flood = change("z.yaml", [], [line for n in range(200) for line in (f"a{n}:", "  privileged: true")])
    order = first_files(planned(flood + HARMLESS))
    steps = [step.file for step in planned(flood + HARMLESS).steps()]
    assert order == ["z.yaml", "src/calm.py"]
    assert steps.index(1) < 40 < len(steps)


def test_context_comes_last_and_only_near_a_change() -> None:
    old = [f"l{n}" for n in range(30)]
    text = change("src/a.py", old, [*old[:15], "new", *old[16:]], context=12)
    plan = planned(text)
    around = [line for step in plan.steps() if step.piece is None and step.hunk is not None for line in step.lines]
    assert [plan.lines[0][0][at].text for at in around] == ["l12", "l13", "l14", "l16", "l17", "l18"]


@given(diffs())
@settings(max_examples=60)
def test_every_changed_line_and_every_file_has_its_turn(text: str) -> None:
    plan = planned(text)
    shown = {(step.file, step.hunk, at) for step in plan.steps() for at in step.lines}
    for n, hunks in enumerate(plan.lines):
        assert any(step.file == n for step in plan.steps())
        for hunk, lines in enumerate(hunks):
            assert all((n, hunk, at) in shown for at, line in enumerate(lines) if line.sign != " ")
    assert sorted(plan.rank) == list(range(len(plan.files)))
