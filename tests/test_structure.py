"""The configuration file: a problem names its line, its key and what it accepts; rules read as they are meant."""

import contextlib
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.assembly import rules_of
from bot.domain.approval import Person
from bot.domain.policy import BREAK_GLASS, LISTED, Demand, Group, Policy, UserGroup
from bot.settings import Configuration, SettingsError
from bot.structure import Structure
from tests.configuring import FILE, load, problems

GROUPS = """
channel: C0INCIDENTS
groups:
  oncall: {users: [T1A:U1A], usergroups: [T1A:S1A]}
  platform: {usergroups: [T1A:S7A]}
approvals:
  low: {groups: {oncall: 1}, ttl_minutes: 60}
  high: {groups: {oncall: 1, platform: 2}}
people: {aliases: [[T1A:U1A, T2A:U9A]]}
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("- a", "1: expected keys with values"),
        ("channel: [", "1: not YAML"),
        ("channel: C0INCIDENTS\n\tapprovers: []", "2: not YAML"),
        ("channel: C0A\nchannel: C0INCIDENTS", "2: channel is given twice"),
        ("channel: &a C0INCIDENTS", "&a is an anchor"),
        ("channel: C0INCIDENTS\nchanel: x", "2: chanel: there is no such key"),
        (
            "clusters:\n  prod:\n    reader:\n      context: a\n      bar: 1",
            "5: clusters.prod.reader.bar: there is no such",
        ),
        ("clusters: {prod: {}}", "clusters.prod.reader: this key is needed"),
        ("clusters: {prod: {reader: {}}}", "clusters.prod.reader: give either context"),
        ("clusters: {prod: {reader: {context: a, in_cluster: true}}}", "clusters.prod.reader: give either context"),
        (
            "clusters: {prod: {reader: {context: a}, runner: {context: a}}}",
            "clusters.prod: reader and runner must be two",
        ),
        ("clusters: {'a b': {reader: {context: a}}}", "'a b' is not a name"),
        ("default_cluster: prod", "default_cluster: no cluster 'prod' is configured (configured: none)"),
        ("sources: {am: {cluster: x}}", "sources.am.cluster: no cluster 'x' is configured"),
        ("sources: {}", "sources: name at least one"),
        ("channel: general", "channel: 'general' is not a channel id"),
        ("channel: 7", "channel: expected text"),
        ("approvers: [lee]", "approvers: 'lee' is not a person: give TEAM_ID:USER_ID"),
        ("approvers: ['T0SHOP:U0LEE ']", "is not a person"),
        ("approvers: T0SHOP:U0LEE", "approvers: expected a list"),
        ("groups: {oncall: {}}", "groups.oncall: name somebody under users: or usergroups:"),
        ("groups: {oncall: {usergroups: [S0ONCALL]}}", "'S0ONCALL' is not a user group: give TEAM_ID:GROUP_ID"),
        ("groups: {oncall: {users: [lee]}}", "groups.oncall.users: 'lee' is not a person"),
        ("groups: {approvers: {users: ['T1A:U1A']}}", "groups.approvers: this name is kept for the plain list"),
        (
            "groups: {break-glass: {users: ['T1A:U1A']}}",
            "groups.break-glass: this name is kept for the key break_glass",
        ),
        ("break_glass: {users: [lee]}", "break_glass.users: 'lee' is not a person"),
        ("break_glass: {usergroups: [S0ONCALL]}", "'S0ONCALL' is not a user group: give TEAM_ID:GROUP_ID"),
        ("break_glass: {through_windows: often}", "break_glass.through_windows"),
        ("approvals: {huge: {groups: {approvers: 1}}}", "approvals.huge"),
        ("approvals: {low: {groups: {sre: 1}}}", "approvals.low.groups.sre: there is no such group (there are: approv"),
        ("approvals: {low: {groups: {approvers: 0}}}", "approvals.low.groups.approvers"),
        ("approvals: {low: {groups: {}}}", "approvals.low.groups: expected at least one entry"),
        ("approvals: {low: {groups: {approvers: 1}, ttl_minutes: 0}}", "approvals.low.ttl_minutes"),
        ("people: {aliases: [['T1A:U1A']]}", "people.aliases: each entry lists all identities of one human"),
        ("people: {aliases: [['T1A:U1A', 'T2A:U2A'], ['T1A:U1A', 'T3A:U3A']]}", "'T1A:U1A' is in two entries"),
        ("routes: [{match: {}, channel: C0A1}]", "routes.0.match: expected at least one entry"),
        ("routes: [{match: {team: 5}, channel: C0A1}]", "routes.0.match.team: expected text; put it in quotes"),
        ("routes: [{channel: C0A1}]", "routes.0.match: this key is needed"),
        ("namespaces: shop", "namespaces: expected a list"),
        ("clusters: {prod: {reader: {context: a}, loki: {url: 'loki:3100'}}}", "loki.url: expected Loki's base URL"),
        ("clusters: {prod: {reader: {context: a}, loki: {url: 'http://a:b@loki'}}}", "loki.url: a URL with a password"),
        (
            "clusters: {prod: {reader: {context: a}, alertmanager: {url: am}}}",
            "alertmanager.url: expected Alertmanager's",
        ),
        ("secrets: {a b: 'file'}", "'a b' is not a name"),
        ("endpoints: {a: {url: 's.example', body: {}}}", "endpoints.a.url: expected an address"),
        ("endpoints: {a: {url: 'https://s.example', body: {}}}", "endpoints.a.body: give type: object"),
        ("endpoints: {a: {url: 'https://s.example', body: {type: thing}}}", "endpoints.a.body: is no JSON schema"),
        ("endpoints: {a: {url: 'https://s.example'}}", "endpoints.a.body: this key is needed"),
        (
            "endpoints: {a: {url: 'https://s', allow_networks: [10.0.0.1/8], "
            "body: {type: object, additionalProperties: false}}}",
            "endpoints.a.allow_networks: '10.0.0.1/8' is no network",
        ),
        ("registries: ['https://registry.example']", "registries: 'https://registry.example' is no registry"),
        ("secrets: {pager: {value: hunter2}}", "secrets.pager"),
        ("logs: {channels: {general: [shop]}}", "logs.channels: 'general' is not a channel id"),
        ("logs: {channels: {C0INCIDENTS: []}}", "logs.channels.C0INCIDENTS: expected at least one entry"),
        ("logs: {channels: {C0INCIDENTS: ['*']}}", "logs.channels: '*' is no namespace"),
        ("logs: {channels: {C0INCIDENTS: [shop]}}", "logs.channels.C0INCIDENTS: which cluster is 'shop' in?"),
        ("logs: {channels: {C0INCIDENTS: [prod/shop]}}", "no cluster 'prod' is configured"),
    ],
)
def test_a_problem_in_the_file_is_named_with_its_line_and_key(tmp_path: Path, text: str, said: str) -> None:
    found = problems(text, folder=tmp_path, serving=False)
    assert any(problem.startswith("…/signoff.yaml:") and said in problem for problem in found), found


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    (problem,) = problems(folder=tmp_path, SIGNOFF_CONFIG="/nowhere/signoff.yaml")
    assert problem == "SIGNOFF_CONFIG: /nowhere/signoff.yaml cannot be read: No such file or directory"


def test_logs_can_be_read_where_that_is_listed_and_nowhere_else(tmp_path: Path) -> None:
    clusters = {name: {"reader": {"context": name}} for name in ("prod", "staging")}
    logs = {"channels": {"C0INCIDENTS": ["shop", "staging/shop"], "C0DEV": ["staging/dev"]}}
    listed = Structure.model_validate({"clusters": clusters, "default_cluster": "prod", "logs": logs})
    assert listed.readable_logs() == {
        ("C0INCIDENTS", "prod", "shop"),
        ("C0INCIDENTS", "staging", "shop"),
        ("C0DEV", "staging", "dev"),
    }
    assert Structure().readable_logs() == frozenset()


def test_approvers_are_people_of_a_workspace_and_none_is_nobody(tmp_path: Path) -> None:
    listed = load(folder=tmp_path).structure.policy().groups[LISTED]
    assert listed == Group(frozenset({Person("T0SHOP", "U0LEE"), Person("E0CORP", "W0PRIYA")}))
    assert Structure().policy().groups[LISTED] == Group()
    assert Structure().policy().gaps() == ["approvers: nobody is listed, so nothing can be approved"]


def test_groups_are_people_and_user_groups_and_each_risk_takes_its_own(tmp_path: Path) -> None:
    policy = load(GROUPS, folder=tmp_path).structure.policy()
    assert policy.groups["oncall"] == Group(frozenset({Person("T1A", "U1A")}), frozenset({UserGroup("T1A", "S1A")}))
    assert policy.demand("low") == Demand({"oncall": 1}, 3600)
    assert policy.demand("high") == Demand({"oncall": 1, "platform": 2})
    assert policy.demand("medium") == Demand({LISTED: 1})
    assert policy.aliases == {Person("T1A", "U1A"): Person("T1A", "U1A"), Person("T2A", "U9A"): Person("T1A", "U1A")}
    assert policy.gaps() == [
        f"approvals: nobody is in approvers, so nothing of {risk} risk can be approved"
        for risk in ("medium", "critical")
    ]


def test_groups_that_list_too_few_people_are_a_gap() -> None:
    lee, night, priya = Person("T1A", "U1A"), Person("T1A", "U1B"), Person("T1A", "U2A")
    groups = {LISTED: Group(frozenset({lee, night})), "oncall": Group(frozenset({lee, priya}))}

    def gaps(counts: dict[str, int], **more: Any) -> list[str]:
        return Policy(**{"groups": groups, "demands": {"high": Demand(counts)}} | more).gaps()

    assert gaps({LISTED: 2}) == gaps({LISTED: 1, "oncall": 2}) == []
    few = "different people of approvers must approve, and 1 can, so nothing of high risk can be approved"
    assert gaps({LISTED: 2}, aliases={night: lee}) == [f"approvals: 2 {few}"]
    both = "3 different people of approvers and oncall must approve, and 2 can"
    assert gaps({LISTED: 1, "oncall": 2}, aliases={night: lee})[0].startswith(f"approvals: {both}")
    in_slack = Group(frozenset({lee}), frozenset({UserGroup("T1A", "S1A")}))
    assert gaps({LISTED: 5}, groups=groups | {LISTED: in_slack}) == []


def test_who_may_break_the_glass_is_nobody_unless_it_says_so_and_approves_nothing_by_it(tmp_path: Path) -> None:
    assert Structure().policy().break_glass == Group()
    text = GROUPS + "break_glass: {users: [T1A:U5A], usergroups: [T1A:S5A], through_windows: true}\n"
    policy = load(text, folder=tmp_path).structure.policy()
    listed = Group(frozenset({Person("T1A", "U5A")}), frozenset({UserGroup("T1A", "S5A")}))
    assert (policy.group(BREAK_GLASS), policy.through_windows) == (listed, True)
    assert BREAK_GLASS not in policy.groups
    assert policy.gaps() == load(GROUPS, folder=tmp_path).structure.policy().gaps()


def test_who_may_approve_changes_the_digest_and_the_order_of_writing_does_not(tmp_path: Path) -> None:
    def digest_of(text: str) -> str:
        return rules_of(load(text, folder=tmp_path)).policy_digest

    assert digest_of(GROUPS) == digest_of(GROUPS.replace("[T1A:U1A, T2A:U9A]", "[T1A:U1A,   T2A:U9A]"))
    glass = GROUPS + "break_glass: {users: [T1A:U5A]}\n"
    passing = GROUPS + "break_glass: {users: [T1A:U5A], through_windows: true}\n"
    assert len({digest_of(text) for text in (GROUPS, glass, passing)}) == 3
    for changed in ("T1A:S1A -> T1A:S2A", "T1A:U1A] -> T1A:U3A]", "platform: 2 -> platform: 1", "T2A:U9A -> T2A:U8A"):
        before, after = changed.split(" -> ")
        assert digest_of(GROUPS) != digest_of(GROUPS.replace(before, after)), changed


@pytest.mark.parametrize(
    ("labels", "channel"),
    [
        ({"team": "payments", "severity": "critical", "x": "y"}, "C0PAYMENTS"),
        ({"team": "payments", "severity": "warning"}, "C0QUIET"),
        ({"team": "payments"}, "C0QUIET"),
        ({"team": "Payments"}, "C0INCIDENTS"),
        ({"severity": "critical"}, "C0INCIDENTS"),
        ({}, "C0INCIDENTS"),
    ],
)
def test_the_first_route_whose_labels_all_match_takes_the_incident(
    tmp_path: Path, labels: dict[str, str], channel: str
) -> None:
    assert load(folder=tmp_path).structure.channel_for(labels) == channel


@pytest.mark.parametrize(
    ("source", "labels", "found"),
    [
        ("default", {"cluster": "edge"}, ("edge", "edge")),
        ("default", {}, ("prod", "prod")),
        ("default", {"cluster": ""}, ("prod", "prod")),
        ("edge-am", {}, ("edge", "edge")),
        ("edge-am", {"cluster": "prod"}, ("prod", "prod")),
        ("edge-am", {"cluster": "moon"}, (None, "moon")),
        ("unheard-of", {}, ("prod", "prod")),
        ("default", {"cluster": "PROD"}, (None, "PROD")),
    ],
)
def test_an_alert_s_cluster_is_what_it_says_else_its_source_s_else_the_default(
    tmp_path: Path, source: str, labels: dict[str, str], found: tuple[str | None, str]
) -> None:
    assert load(folder=tmp_path).structure.cluster_for(source, labels) == found


def test_without_a_default_an_alert_without_a_cluster_has_none() -> None:
    assert Structure().cluster_for("default", {"cluster": ""}) == (None, "")
    renamed = Structure(cluster_label="k8s_cluster")
    assert renamed.cluster_for("default", {"cluster": "a", "k8s_cluster": "b"}) == (None, "b")


@given(st.text(max_size=200))
def test_any_text_is_a_structure_or_a_list_of_problems(text: str) -> None:
    with NamedTemporaryFile("wb", suffix=".yaml") as file:
        file.write(text.encode("utf-8", "surrogatepass"))
        file.flush()
        with contextlib.suppress(SettingsError):
            Configuration.load({"SIGNOFF_CONFIG": file.name}, serving=False)


def test_which_repositories_are_listened_to(tmp_path: Path) -> None:
    everything = load(folder=tmp_path).structure.github
    some = load(FILE + "github: {repositories: [Shop/deploy, tools/*]}", folder=tmp_path).structure.github
    for name, listed in (("shop/Deploy", True), ("shop/other", False), ("tools/any", True), ("toolsmith/any", False)):
        assert everything.listens_to(name)
        assert some.listens_to(name) is listed
    (problem,) = problems(FILE + "github: {repositories: ['*']}", folder=tmp_path)
    assert "'*' is no repository: give OWNER/NAME or OWNER/*" in problem
