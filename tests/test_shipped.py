"""Where the shipped data are, unless the settings say otherwise."""

from pathlib import Path

from bot import shipped


def test_it_is_beside_the_package_in_a_checkout() -> None:
    assert list(shipped.runbooks(None).glob("*.yaml"))
    assert list(shipped.prompts(None).glob("*/task.yaml"))


def test_a_configured_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    assert shipped.runbooks(tmp_path / "a") == tmp_path / "a"
    assert shipped.prompts(tmp_path / "b") == tmp_path / "b"
