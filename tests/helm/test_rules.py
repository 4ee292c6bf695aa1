"""The chart's rights, without helm: exactly those that `signoff rbac` prints for the shipped runbooks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from bot.runbooks import catalogue, rbac
from bot.runbooks.resources import Verb

ROOT = Path(__file__).parents[2]
RULES = (ROOT / "helm" / "signoff" / "templates" / "_rules.tpl").read_text()
RUNNER = rbac.runner(catalogue.load(ROOT / "runbooks").runbooks.values())


@pytest.mark.parametrize(
    ("name", "verbs"),
    [
        ("readerRules", rbac.reader()),
        ("runnerRules", rbac.namespaced(RUNNER)),
        ("runnerNodeRules", RUNNER - rbac.namespaced(RUNNER)),
    ],
)
def test_the_chart_grants_exactly_what_is_needed(name: str, verbs: frozenset[Verb]) -> None:
    written = re.search(rf'define "signoff.{name}" -}}}}\n(.*?)\n{{{{- end', RULES, re.DOTALL)
    assert written is not None
    assert yaml.safe_load(written[1]) == rbac.rules(verbs)


def test_no_right_is_a_wildcard_and_no_secret_is_read() -> None:
    for verb in RUNNER | rbac.reader():
        assert "*" not in (verb.group + verb.resource + verb.verb)
        assert verb.resource not in ("secrets", "serviceaccounts/token")
        assert verb.verb not in ("escalate", "bind", "impersonate")
