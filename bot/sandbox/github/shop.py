"""The shop's repository: the manifests of its checkout, and a pull request that takes a safety net away."""

from __future__ import annotations

from bot.sandbox.github.acts import Acts

REPOSITORY = "shop/deploy"
PEOPLE = {"lee": "write", "priya": "admin", "dana": "write"}

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: checkout
  namespace: shop
spec:
  replicas: 3
  template:
    spec:
      containers:
        - name: checkout
          image: registry.example/shop/checkout:4.17.2
          readinessProbe:
            httpGet:
              path: /healthz
              port: 8080
            periodSeconds: 5
          resources:
            limits:
              memory: 256Mi
"""
PROBE = """\
          readinessProbe:
            httpGet:
              path: /healthz
              port: 8080
            periodSeconds: 5
"""
_WORKFLOW = """\
name: CI
on:
  pull_request:
  workflow_dispatch:
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: make test
"""


def build(acts: Acts) -> None:
    """Make the repository and its open pull request."""
    files = {
        "README.md": "# How the shop is deployed\n",
        "apps/checkout/deployment.yaml": DEPLOYMENT,
        ".github/workflows/ci.yml": _WORKFLOW,
    }
    acts.create_repository(REPOSITORY, files, people=PEOPLE)
    changed = DEPLOYMENT.replace(PROBE, "").replace("4.17.2", "4.18.0")
    acts.push(REPOSITORY, "faster-rollout", {"apps/checkout/deployment.yaml": changed}, message="Roll out faster")
    acts.open_pull(REPOSITORY, "faster-rollout", title="Roll out checkout faster", body="The probe slows us down.")
