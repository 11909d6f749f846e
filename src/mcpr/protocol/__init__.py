"""What do these bytes mean? HTTP/1.1, JSON-RPC, MCP, server-sent events, OAuth.

Pure: no socket, no clock, no file. Everything here is a function of bytes and can be tested as one.
"""
