"""What an exit code means: the shell's and the container runtime's conventions, in words."""

from __future__ import annotations

# POSIX shell: 126 found but not executable, 127 not found; 128+n ended by signal n. 128 itself with reason
# StartError is containerd's word for a process that never started.
_CODES = {
    0: "it ended by itself, without an error",
    126: "the command cannot be executed",
    127: "the command was not found",
    128: "the container's process could not be started",
}
_SIGNALS = {
    1: "SIGHUP",
    2: "SIGINT",
    3: "SIGQUIT",
    4: "SIGILL, an illegal instruction",
    6: "SIGABRT, it aborted itself",
    7: "SIGBUS, a bad memory access",
    8: "SIGFPE, an arithmetic error",
    9: "SIGKILL",
    11: "SIGSEGV, a bad memory access",
    13: "SIGPIPE",
    15: "SIGTERM, it was asked to stop",
}


def meaning(code: int | None, reason: str = "") -> str:
    """Say in words what ``code`` means, given the ``reason`` that Kubernetes gives; empty if it says nothing more."""
    if code is None:
        return ""
    if reason == "OOMKilled":
        return "killed by SIGKILL: it ran over its memory limit"
    if code == 137:
        return "killed by SIGKILL: out of memory, a failed liveness probe or a stop that took too long"
    if code in _CODES:
        return _CODES[code]
    if 128 < code < 160:
        return f"ended by {_SIGNALS.get(code - 128, f'signal {code - 128}')}"
    return ""
