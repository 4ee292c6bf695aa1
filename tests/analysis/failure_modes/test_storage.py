from bot.analysis.failure_modes.storage import suspect
from tests.analysis.objects import event, events, log, seen


def test_a_claim_with_an_unknown_storage_class_is_named():
    failed = event(
        "ProvisioningFailed",
        'storageclass.storage.k8s.io "fast" not found',
        kind="PersistentVolumeClaim",
        name="db-data",
    )
    held = event("FailedScheduling", "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.")
    (found,) = suspect(seen(events(failed, held)))
    assert found.headline == "PersistentVolumeClaim db-data is unbound: its storage class fast does not exist"
    assert "stays Pending" in found.statement
    assert (found.category, found.confidence) == ("storage", "high")


def test_an_unbound_claim_without_its_own_events_is_less_sure():
    held = event("FailedScheduling", "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.")
    (found,) = suspect(seen(events(held)))
    assert (found.confidence, bool(found.unknowns)) == ("medium", True)


def test_a_volume_attached_elsewhere():
    told = event("FailedAttachVolume", 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) db-0')
    (found,) = suspect(seen(events(told)))
    assert "still attached to another node" in found.headline


def test_a_missing_secret_is_the_business_of_configuration():
    told = event("FailedMount", 'MountVolume.SetUp failed for volume "tls" : secret "checkout-tls" not found')
    assert not list(suspect(seen(events(told))))


def test_a_full_disk_is_found_in_the_log():
    (found,) = suspect(seen(log("INFO ok\nERROR write /data/wal: no space left on device\n")))
    assert "no space left on device" in found.statement
    assert found.evidence == ("E5",)
