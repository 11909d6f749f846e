"""What does a person see? Pages over the questions of a store, and the same answers as JSON.

It gets its stores as an argument, and is mounted by whoever decides who may look: the proxy's admin
address. Everything a page loads is in this package; nothing comes from another origin.
"""

from mcpr.console.app import application
from mcpr.console.pages import SinkState, Surroundings

__all__ = ["SinkState", "Surroundings", "application"]
