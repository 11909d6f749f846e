"""What `mcpr doctor` looks at: one function for each matter, each with its findings.

Nothing here changes anything: no file is made, no session is begun, no port is kept.
"""

from mcpr.cli.checkup.finding import Finding, State

__all__ = ["Finding", "State"]
