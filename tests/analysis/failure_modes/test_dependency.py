import pytest

from bot.analysis.failure_modes.dependency import suspect
from tests.analysis.objects import container, log, pod, pods, seen, workload


@pytest.mark.parametrize(
    ("line", "what", "category"),
    [
        ("ERROR dial tcp 10.0.0.9:5432: connect: connection refused", "cannot reach 10.0.0.9:5432", "dependency"),
        ("ERROR could not connect to orders-db:3306", "cannot reach orders-db:3306", "dependency"),
        ("Error: getaddrinfo ENOTFOUND payments.internal", "cannot resolve the name of payments.internal", "network"),
        ("lookup cache.shop on 10.96.0.10:53: no such host error", "cannot resolve the name of", "network"),
        ("FATAL password authentication failed for user app, host db:5432", "cannot log in to db:5432", "dependency"),
        (
            "ERROR x509: certificate has expired https://idp.example/keys",
            "cannot trust the certificate of idp.example",
            "dependency",
        ),
        (
            "ERROR FATAL: sorry, too many clients already at pg:5432",
            "cannot get a connection to pg:5432",
            "resource-exhaustion",
        ),
        ("ERROR Failed to retrieve sessions from redis: TimeoutError", "cannot reach redis", "dependency"),
    ],
)
def test_what_cannot_be_reached_is_named_and_quoted(line, what, category):
    (found,) = suspect(seen(log(f"INFO fine\n{line}\n")))
    assert f"checkout {what}" in found.statement
    assert line in found.statement
    assert (found.category, found.evidence) == (category, ("E5",))


def test_it_is_surer_when_pods_are_down_for_it():
    line = log("ERROR connection refused: orders-db:3306")
    (calm,) = suspect(seen(line))
    (down,) = suspect(seen(line, pods(pod("p1", container()))))
    assert (calm.confidence, down.confidence) == ("medium", "high")


def test_two_pods_with_one_trouble_are_one_suspicion():
    lines = [log("ERROR connection refused: orders-db:3306", id=id, pod=id) for id in ("E5", "E6")]
    (found,) = suspect(seen(*lines))
    assert found.evidence == ("E5", "E6")
    assert "(2 times)" in found.statement


def test_an_exhausted_pool_may_be_helped_by_a_restart():
    (found,) = suspect(seen(workload(), log("ERROR connection pool exhausted for orders-db:3306")))
    assert [r.runbook for r in found.remedies] == ["restart-deployment"]


def test_information_is_no_error():
    assert not list(suspect(seen(log("INFO retrying after connection refused to db:5432\nINFO connected\n"))))
