"""mcpr: an observability-first reverse proxy for MCP servers.

It stands in front of an MCP server, understands every JSON-RPC message, and records what
happens (method, tool, latency, outcome, client, sizes), never what was said.
"""

__version__ = "0.1.0"
