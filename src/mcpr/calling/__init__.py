"""Small calls outward, each with a deadline and a largest answer. Knows nothing of who asks why."""

from mcpr.calling.asking import Answer, NoAnswer, ask

__all__ = ["Answer", "NoAnswer", "ask"]
