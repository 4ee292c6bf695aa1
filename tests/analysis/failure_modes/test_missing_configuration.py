import pytest

from bot.analysis.failure_modes.missing_configuration import suspect
from tests.analysis.objects import container, event, events, pod, pods, seen, waiting


@pytest.mark.parametrize(
    ("message", "what"),
    [
        ('configmap "checkout-settings" not found', "ConfigMap checkout-settings does not exist"),
        ('secret "db-credentials" not found', "Secret db-credentials does not exist"),
        ("couldn't find key PASSWORD in Secret shop/db", "Secret shop/db has no key PASSWORD"),
        ("container has runAsNonRoot and image will run as root", "runs as root"),
    ],
)
def test_a_waiting_container_says_what_is_missing(message, what):
    (found,) = suspect(seen(pods(pod("p1", container(state=waiting("CreateContainerConfigError", message))))))
    assert what in found.headline
    assert message in found.statement
    assert (found.category, found.confidence, found.evidence) == ("configuration", "high", ("E2",))


def test_a_volume_that_names_a_missing_secret_is_configuration():
    told = event("FailedMount", 'MountVolume.SetUp failed for volume "tls" : secret "checkout-tls" not found')
    (found,) = suspect(seen(events(told)))
    assert found.headline == "Secret checkout-tls does not exist"


def test_state_and_event_about_one_thing_are_one_suspicion():
    message = 'configmap "settings" not found'
    state = pods(pod("checkout-new-1", container(state=waiting("CreateContainerConfigError", message))))
    (found,) = suspect(seen(state, events(event("Failed", f"Error: {message}"))))
    assert found.evidence == ("E2", "E3")


def test_other_warnings_are_none():
    assert not list(suspect(seen(events(event("FailedScheduling", "0/3 nodes are available")))))
