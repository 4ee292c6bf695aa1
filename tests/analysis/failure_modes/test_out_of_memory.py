from bot.analysis.failure_modes.out_of_memory import suspect
from tests.analysis.objects import container, crashing, event, events, log, pod, pods, seen, terminated, workload


def test_an_oom_killed_container_is_named_with_its_limit():
    (found,) = suspect(
        seen(workload(), pods(pod("p1", crashing(137, "OOMKilled")), pod("p2", crashing(137, "OOMKilled"))))
    )
    assert "Container app of pod p1 ran out of memory at its memory limit of 256Mi" in found.statement
    assert "exit code 137" in found.statement
    assert "2 pods are affected" in found.statement
    assert (found.category, found.confidence, found.evidence) == ("out-of-memory", "high", ("E2", "E1"))


def test_a_runtime_that_says_so_is_believed_a_little_less():
    told = "x\nException in thread main java.lang.OutOfMemoryError: Java heap space\n"
    (found,) = suspect(seen(log(told)))
    assert "java.lang.OutOfMemoryError: Java heap space" in found.statement
    assert (found.confidence, found.evidence) == ("medium", ("E5",))


def test_the_kernel_event_alone_is_a_hint():
    (found,) = suspect(seen(events(event("SystemOOM", "System OOM encountered, victim process: java", kind="Node"))))
    assert "victim process: java" in found.statement


def test_sigkill_alone_is_not_memory():
    assert not list(suspect(seen(pods(pod("p1", container(last_state=terminated(137), restarts=1))))))
