from __future__ import annotations

from dataclasses import replace

from bot.domain.change import Change, PathRisk
from bot.domain.incident import Subject
from bot.evidence.changes import AFTER, WINDOW, collected, rank
from bot.redact import Redactor

MINUTE = 60_000_000
ALERT = 10**15
CHECKOUT = Subject("prod", "prod", "shop", "Deployment", "checkout")
RISK = PathRisk("apps/checkout/deployment.yaml", "k8s-probe", "high", "a readiness probe is gone")


def change(name: str = "a", minutes: float = 10, *paths: str, **more: object) -> Change:
    made = Change(
        name, "merge", "shop/deploy", 7, name * 40, "Faster", "dana", "u", "", paths, (), ALERT - int(minutes * MINUTE)
    )
    return replace(made, **more)  # type: ignore[arg-type]  # fields by name


def order(*changes: Change) -> list[str]:
    return [one.change.id for one in rank(changes, CHECKOUT, alert_started_at=ALERT)]


def test_what_names_the_workload_comes_before_what_is_newer() -> None:
    assert order(change("a", 1, "docs/README.md"), change("b", 60, "apps/checkout/deployment.yaml")) == ["b", "a"]


def test_of_those_that_name_it_the_newer_comes_first_and_the_riskier() -> None:
    path = "apps/checkout/deployment.yaml"
    assert order(change("a", 90, path), change("b", 5, path)) == ["b", "a"]
    assert order(change("a", 10, path), change("b", 10, path, risks=(RISK,))) == ["b", "a"]


def test_what_went_elsewhere_to_be_tried_out_is_suspected_less() -> None:
    path = "apps/checkout/deployment.yaml"
    tried = change("a", 5, path, kind="deploy", environment="shop-staging")
    assert order(tried, change("b", 30, path, kind="deploy", environment="production")) == ["b", "a"]
    here = replace(CHECKOUT, namespace="staging")
    assert (
        rank([tried], here, alert_started_at=ALERT)[0].score > rank([tried], CHECKOUT, alert_started_at=ALERT)[0].score
    )


def test_a_page_or_a_test_about_the_workload_is_no_reason_to_suspect_a_change() -> None:
    probe = change("b", 80, "deploy/checkout/deployment.yaml", risks=(RISK,))
    for path in ("docs/checkout.md", "tests/checkout/test_cart.py", "checkout/README.md"):
        assert order(change("a", 10, path), probe) == ["b", "a"]
        assert rank([change("a", 10, path)], CHECKOUT, alert_started_at=ALERT)[0].match == 0.1
    mixed = change("c", 10, "docs/checkout.md", "deploy/checkout/deployment.yaml")
    assert rank([mixed], CHECKOUT, alert_started_at=ALERT)[0].why.startswith("its path deploy/checkout/")
    own = change("d", 10, "README.md", repository="shop/checkout")
    assert rank([own], CHECKOUT, alert_started_at=ALERT)[0].match == 0.07


def test_how_a_change_names_the_workload_is_said() -> None:
    def why(*paths: str, **more: object) -> str:
        return rank([change("a", 1, *paths, **more)], CHECKOUT, alert_started_at=ALERT)[0].why

    assert why("apps/checkout/deployment.yaml") == "its path apps/checkout/deployment.yaml names checkout"
    assert why("values/checkout.yaml") == "its path values/checkout.yaml names checkout"
    assert why("values/checkout-prod.yaml") == "its path values/checkout-prod.yaml speaks of checkout"
    assert why("shop/quota.yaml") == "its path shop/quota.yaml names the namespace shop"
    assert why("a.go", repository="shop/checkout") == "its repository shop/checkout is named after checkout"
    assert why("checkouts/x") == ""


def test_only_what_came_shortly_before_can_be_the_cause() -> None:
    late = change("a", 0, at=ALERT + AFTER + 1)
    old = change("b", 0, at=ALERT - WINDOW - 1)
    assert order(late, old, change("c", 0, at=ALERT + AFTER), change("d", 0, at=ALERT - WINDOW)) == ["c", "d"]


def test_a_merge_is_not_told_again_as_a_push() -> None:
    merged = change("a", 5)
    assert order(merged, replace(merged, id="b", kind="push", number=0)) == ["a"]


def test_the_evidence_says_it_in_lines_and_as_data() -> None:
    known = [change("a", 12, "apps/checkout/deployment.yaml", risks=(RISK,), title="Use hunter2-secret\nnow")]
    found = collected(
        known, CHECKOUT, now=ALERT, alert_started_at=ALERT, redactor=Redactor(["hunter2-secret"], key=b"k"), number=7
    )
    assert found is not None
    assert (found.id, found.kind, found.title) == ("E7", "changes", "1 change in the 24 h before the alert")
    assert found.text.startswith("1. shop/deploy#7 merged 12m before the alert by dana\n")
    assert "risk high: a readiness probe is gone (apps/checkout/deployment.yaml)" in found.text
    assert "hunter2" not in str(found)
    assert found.facts["changes"][0]["match"] == 1.0
    nothing = collected([], CHECKOUT, now=ALERT, alert_started_at=ALERT, redactor=Redactor([], key=b"k"), number=7)
    assert nothing is None
