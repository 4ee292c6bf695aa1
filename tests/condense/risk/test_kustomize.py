import pytest

from bot.condense.risk import kustomize
from tests.condense.risk.telling import Change, ids, told

TOLD: dict[str, Change] = {
    "kustomize/replicas-lowered": (
        "overlays/prod/kustomization.yaml",
        "- name: web\n  count: 5",
        "- name: web\n  count: 0",
    ),
    "kustomize/image-floating": ("overlays/prod/kustomization.yaml", "x: 1", "x: 1\n    newTag: latest"),
    "kustomize/resource-removed": ("overlays/prod/kustomization.yaml", "x: 1\n  - deploy.yaml", "x: 1"),
    "kustomize/include-removed": ("overlays/prod/kustomization.yaml", "x: 1\n  - ../../base", "x: 1"),
    "kustomize/remote": ("overlays/prod/kustomization.yaml", "x: 1", "x: 1\n  - https://example.com/base?ref=main"),
    "kustomize/delete-patch": ("overlays/prod/kustomization.yaml", "x: 1", "x: 1\n  $patch: delete"),
    "kustomize/image": ("overlays/prod/kustomization.yaml", "x: 1", "x: 1\n    newTag: v2"),
    "kustomize/scope": ("overlays/prod/kustomization.yaml", "x: 1", "x: 1\nnamespace: prod"),
    "kustomize/part": ("overlays/prod/kustomization.yaml", "x: 1", "x: 1\npatches:"),
}

QUIET: list[tuple[str, Change]] = [
    (
        "kustomize/replicas-lowered",
        ("overlays/prod/kustomization.yaml", "- name: web\n  count: 2", "- name: web\n  count: 5"),
    ),
    ("kustomize/image-floating", ("overlays/prod/kustomization.yaml", "x: 1", "x: 1\n    newTag: stable-1.2")),
    ("kustomize/resource-removed", ("overlays/prod/kustomization.yaml", "- a.yaml\nx: 1", "x: 1\n- a.yaml")),
    ("kustomize/remote", ("overlays/prod/kustomization.yaml", "x: 1", "x: 1\n  - ../base")),
]


@pytest.mark.parametrize(("rule", "change"), TOLD.items(), ids=TOLD)
def test_each_rule_tells_its_change(rule: str, change: Change) -> None:
    assert rule in told(*change)


def test_every_rule_has_an_example() -> None:
    assert sorted(TOLD) == sorted(ids(kustomize.RULES))


@pytest.mark.parametrize(("rule", "change"), QUIET)
def test_a_rule_is_quiet_where_there_is_nothing_to_tell(rule: str, change: Change) -> None:
    assert rule in ids(kustomize.RULES)
    assert rule not in told(*change)
