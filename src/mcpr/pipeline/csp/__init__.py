"""What a widget may load: the policy its server declares, and the one it has behind this proxy.

`rules` is the operator's word and how it is merged, `widgets` writes a policy into one resource,
`editors` finds the resources in an answer that passes, `hosts` tells what each host makes of a
policy, and `lint` what is wrong with one.
"""

from mcpr.pipeline.csp.editors import EventsEditor, JsonEditor, editor_for
from mcpr.pipeline.csp.hosts import HOSTS, Host, content_security_policy
from mcpr.pipeline.csp.lint import Finding, lint
from mcpr.pipeline.csp.news import WidgetNews, policy_of
from mcpr.pipeline.csp.rules import (
    DIRECTIVES,
    CspRules,
    Directive,
    Mode,
    Policy,
    Sources,
    WidgetRule,
    merged,
)
from mcpr.pipeline.csp.widgets import Widget

__all__ = [
    "DIRECTIVES",
    "HOSTS",
    "CspRules",
    "Directive",
    "EventsEditor",
    "Finding",
    "Host",
    "JsonEditor",
    "Mode",
    "Policy",
    "Sources",
    "Widget",
    "WidgetNews",
    "WidgetRule",
    "content_security_policy",
    "editor_for",
    "lint",
    "merged",
    "policy_of",
]
