"""The catalogue of events: where each goes, who is responsible, how grave it is.

URL first: everything goes to the notification centre, the table NOTIFICATIONS that a portal reads, with the URL of the
contact for its purpose. E-mail costs money and can fail to arrive, so three events send one: those that a client must
hear of although nobody looks at the portal any more.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["EVENTS", "PURPOSES", "SEVERITIES"]

SEVERITIES = ("INFO", "WARNING", "ERROR", "CRITICAL")
PURPOSES = ("STEWARD", "SUPPORT", "ACCESS_APPROVAL", "SECURITY_COMPLIANCE")


def _event(channel: str, purpose: str, severity: str, title: str) -> Mapping[str, str]:
    return {"channel": channel, "purpose": purpose, "severity": severity, "title": title}


#: By name: channel (EMAIL besides the centre, or CENTRE alone), purpose of the contact, severity, title.
EVENTS: Mapping[str, Mapping[str, str]] = {
    "FAILED_PAYMENT": _event("EMAIL", "STEWARD", "CRITICAL", "A payment failed"),
    "QUOTA_EXCEEDED": _event("EMAIL", "STEWARD", "CRITICAL", "A quota is exceeded"),
    "UNSUBSCRIPTION_CONFIRMED": _event("EMAIL", "STEWARD", "CRITICAL", "The subscription ends"),
    "CLIENT_PROVISIONED": _event("CENTRE", "SUPPORT", "INFO", "Everything is set up"),
    "TASK_GRAPH_FAILED": _event("CENTRE", "SUPPORT", "ERROR", "A run of a task graph failed"),
    "FILES_PARKED": _event("CENTRE", "SUPPORT", "WARNING", "Files could not be processed"),
    "QUOTA_NEARLY_REACHED": _event("CENTRE", "STEWARD", "WARNING", "A quota is nearly reached"),
    "MAINTENANCE_PLANNED": _event("CENTRE", "SUPPORT", "INFO", "Maintenance is planned"),
    "ACCESS_REQUESTED": _event("CENTRE", "ACCESS_APPROVAL", "INFO", "Somebody asks for access"),
    "SECURITY_ALERT": _event("CENTRE", "SECURITY_COMPLIANCE", "CRITICAL", "Something needs the eye of security"),
}
