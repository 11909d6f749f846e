"""What did the operator ask for? Checked once, then frozen; or an error that says what to do."""

from mcpr.settings.run import LogForm, RunSettings, UpstreamUrl, run_settings

__all__ = ["LogForm", "RunSettings", "UpstreamUrl", "run_settings"]
