"""Secrets out, everywhere the same: before the model, Slack, the audit trail and the logs. Knows nothing of the bot."""

from bot.redact.redactor import Redaction, Redactor

__all__ = ["Redaction", "Redactor"]
