"""Risk rules for Prometheus rules and Alertmanager configuration: what will no longer be told, or told to others."""

from __future__ import annotations

import re
from typing import Final

from bot.condense.risk.rule import Added, Changed, Gone, Rule, Touched

PATHS: Final = re.compile(
    r"(?:rules?|alerts?|alerting|prometheus|alertmanager|mixin|monitor|thanos|mimir|loki)[^/]*(?:/.*)?\.(?:ya?ml|json|jsonnet|libsonnet|rules|tmpl|tpl|j2)$",
    re.I,
)

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_TERM = re.compile(r"([0-9]{1,9})(ms|[smhdwy])")
_DURATION = re.compile(r"[\"']?((?:[0-9]{1,9}(?:ms|[smhdwy]))+)[\"']?,?")
_KEY = r"^[\s\-\"']*"
_END = r"[\"']?\s*:"


def seconds(text: str) -> float | None:
    """Return a Prometheus duration (``1h30m``) in seconds, or None."""
    match = _DURATION.fullmatch(text.strip())
    return sum(int(number) * _UNITS[unit] for number, unit in _TERM.findall(match[1])) if match else None


def longer(old: str, new: str) -> bool:
    """Whether both are durations and the new one is longer."""
    before, after = seconds(old), seconds(new)
    return before is not None and after is not None and after > before


def shorter(old: str, new: str) -> bool:
    """Whether both are durations and the new one is shorter."""
    return longer(new, old)


def _higher(old: str, new: str) -> bool:
    return float(new) > float(old)


def _lower(old: str, new: str) -> bool:
    return float(new) < float(old)


def _loud(old: str, new: str) -> bool:
    order = ("none", "info", "warning", "error", "critical", "page")
    before, after = old.strip("\"',").lower(), new.strip("\"',").lower()
    return before in order and after in order and order.index(after) < order.index(before)


RULES: Final[tuple[Rule, ...]] = (
    Gone(
        "alert/removed",
        "high",
        rf"{_KEY}alert{_END}\s*[\"']?[\w:\-]+",
        "An alert is gone or renamed: nobody is told, and silences and routes of the old name do not fit.",
    ),
    Gone(
        "alert/recording-removed",
        "high",
        rf"{_KEY}record{_END}\s*[\"']?[\w:\-]+",
        "A recorded series ends: alerts and dashboards that read it fall silent.",
    ),
    Gone(
        "alert/route-removed",
        "high",
        rf"{_KEY}(?:receiver|receivers|route|routes|matchers|match|match_re){_END}",
        "Alerts may reach nobody, or others than before.",
    ),
    Gone(
        "alert/notifier-removed",
        "high",
        rf"{_KEY}(?:email|slack|pagerduty|opsgenie|victorops|webhook|wechat|pushover|sns|telegram|discord|webex|msteams\w*|jira|rocketchat|incidentio)_configs{_END}",
        "A way to tell people is gone: alerts of this receiver may reach nobody.",
    ),
    Gone(
        "alert/receiver-removed",
        "high",
        r"^\s*-\s*[\"']?name[\"']?\s*:\s*[\"']?[\w.\-/]+",
        "A receiver is gone or renamed: routes to it reach nobody.",
        within=r"^[\"']?receivers[\"']?\s*:",
    ),
    Gone(
        "alert/scrape-removed",
        "high",
        rf"{_KEY}job_name{_END}\s*[\"']?([\w.\-/]+)",
        "A job is no longer scraped, or under another name: alerts on its series fall silent.",
    ),
    Gone(
        "alert/rule-file-removed",
        "high",
        r"^\s*-\s*[\"']?([\w./*\-]+\.(?:ya?ml|rules|json))[\"']?\s*(?:#.*)?$",
        "Rules are no longer loaded: nobody is alerted by them.",
        within=r"^[\"']?rule_files[\"']?\s*:",
    ),
    Gone(
        "alert/section-removed",
        "high",
        rf"{_KEY}(?:rule_files|scrape_configs|alerting|alertmanagers|remote_write){_END}",
        "Prometheus no longer loads, scrapes or tells this.",
    ),
    Changed(
        "alert/threshold-raised",
        "medium",
        r"(>=?)\s*([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*[\"',)]*\s*$",
        "The number after {key} is higher: it alerts later, or never.",
        _higher,
    ),
    Changed(
        "alert/threshold-lowered",
        "medium",
        r"(<=?)\s*([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*[\"',)]*\s*$",
        "The number after {key} is lower: it alerts later, or never.",
        _lower,
    ),
    Gone(
        "alert/absence-removed",
        "high",
        r"\babsent(?:_over_time)?\s*\(|\bup\s*==\s*0|\bWatchdog\b|\bDeadMansSwitch\b",
        "What notices that monitoring itself has stopped is gone.",
    ),
    Changed(
        "alert/slower",
        "medium",
        rf"{_KEY}(for|keep_firing_for|group_wait|group_interval|repeat_interval|evaluation_interval|scrape_interval|interval){_END}\s*([^\s#]+)",
        "{key} is longer: people are told later.",
        longer,
    ),
    Changed("alert/faster", "low", rf"{_KEY}(for){_END}\s*([^\s#]+)", "{key} is shorter: short spikes page.", shorter),
    Changed(
        "alert/retention-shorter",
        "high",
        rf"{_KEY}(retention|retentionTime|retention_period){_END}\s*([^\s#]+)",
        "{key} is shorter: older data is deleted.",
        shorter,
    ),
    Changed(
        "alert/quieter", "high", rf"{_KEY}(severity){_END}\s*([^\s#]+)", "{key} is lower: it may no longer page.", _loud
    ),
    Added(
        "alert/muted",
        "high",
        r"\binhibit_rules\b|\bmute_time_intervals\b"
        rf"|{_KEY}receiver{_END}\s*[\"']?(?:null|blackhole|devnull|none)\b|\baction{_END}\s*[\"']?drop\b",
        "Alerts or series are dropped before anyone sees them.",
    ),
    Touched(
        "alert/expression",
        "medium",
        rf"{_KEY}(?:expr|alert|record){_END}",
        "What is measured, and when it alerts, is set here.",
    ),
    Touched(
        "alert/timing",
        "medium",
        rf"{_KEY}(?:for|severity|keep_firing_for|group_by|repeat_interval|scrape_interval|retention){_END}",
        "How soon and how loudly it alerts is set here.",
    ),
    Touched(
        "alert/threshold",
        "low",
        r"[<>]=?\s*[0-9.]+\s*[\"',)]*$"
        r"|\b(?:rate|increase|histogram_quantile|sum|count|absent|vector)\s*(?:by\s*)?\(",
        "A part of an expression.",
    ),
)
