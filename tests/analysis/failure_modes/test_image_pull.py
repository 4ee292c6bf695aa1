import pytest

from bot.analysis.failure_modes.image_pull import suspect
from tests.analysis.objects import container, event, events, pod, pods, rollout, seen, waiting, well, workload

IMAGE = "registry.example/shop/checkout:2"


def pulling(message: str, reason: str = "ErrImagePull"):
    return pods(pod("checkout-new-1", container(state=waiting(reason, message))))


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("rpc error: code = NotFound desc = reading manifest 2 in shop/checkout: manifest unknown", "does not exist"),
        ("failed to resolve reference: registry.example/shop/checkout:2: not found", "does not exist"),
        ("pull access denied, repository does not exist or may require authorization", "needs credentials"),
        ("failed to authorize: 401 Unauthorized", "credentials"),
        ("toomanyrequests: You have reached your pull rate limit", "limits how often"),
        ('Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such host', "cannot be reached"),
        ("net/http: TLS handshake timeout", "cannot be reached"),
        ("no match for platform in manifest: not found", "architecture"),
        ("couldn't parse image reference: invalid reference format", "not a valid image reference"),
    ],
)
def test_says_which_image_and_why(message, why):
    (found,) = suspect(seen(pulling(message)))
    assert IMAGE in found.statement
    assert why in found.headline
    assert message in found.statement
    assert (found.category, found.confidence, found.evidence) == ("image-pull", "high", ("E2",))


def test_an_unknown_reason_is_an_unknown_not_a_guess():
    (found,) = suspect(seen(pulling("something entirely new")))
    assert found.headline == f"image {IMAGE} cannot be pulled"
    assert found.unknowns


def test_the_event_tells_what_the_waiting_state_has_forgotten():
    failed = event("Failed", f'Failed to pull image "{IMAGE}": manifest unknown')
    (found,) = suspect(seen(pulling("", "ImagePullBackOff"), events(failed)))
    assert "does not exist in the registry" in found.statement
    assert found.evidence == ("E2", "E3")


def test_a_broken_rollout_is_named_and_can_be_rolled_back():
    both = pods(pod("checkout-new-1", container(state=waiting("ImagePullBackOff", "manifest unknown"))), well())
    (found,) = suspect(seen(workload(), both, rollout()))
    assert (
        "revision 5 (image registry.example/shop/checkout:1 → 2), while pods of the revision before" in found.statement
    )
    assert [remedy.runbook for remedy in found.remedies] == ["rollback-deployment"]


def test_an_event_of_a_pod_that_is_ready_by_now_is_over():
    failed = event("Failed", f'Failed to pull image "{IMAGE}": i/o timeout', name="checkout-old-1")
    assert not list(suspect(seen(pods(well()), events(failed))))
