"""Where the shipped prompts and runbooks are: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def prompts(configured: Path | None) -> Path:
    """Return the folder of prompts: the configured one, or the shipped one."""
    return configured or _shipped("prompts")


def runbooks(configured: Path | None) -> Path:
    """Return the folder of runbooks: the configured one, or the shipped one."""
    return configured or _shipped("runbooks")


def _shipped(name: str) -> Path:
    inside = _PACKAGE / "_data" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name
