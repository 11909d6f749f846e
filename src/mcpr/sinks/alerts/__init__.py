"""Alerts: rules over what is recorded, evaluated on this machine, told to the log and to webhooks.

`rules` decides, `watch` remembers what is firing, `webhook` delivers; `sink` runs them.
"""

from mcpr.sinks.alerts.sink import AlertSink

__all__ = ["AlertSink"]
