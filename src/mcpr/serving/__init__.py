"""The one door to the HTTP server library: bind an address, serve an ASGI application on it.

Knows nothing of what is served, and uvicorn is imported only when something is.
"""

from mcpr.serving.address import Address, bind, bound, parse
from mcpr.serving.http import HttpServer

__all__ = ["Address", "HttpServer", "bind", "bound", "parse"]
