"""A GitHub on loopback: its REST API and its webhooks, as strict as its documentation and what people report.

``start`` serves it; tests and the command act in it through ``/sandbox/github/…``.
"""

from bot.sandbox.github.server import GitHubSandbox, start

__all__ = ["GitHubSandbox", "start"]
