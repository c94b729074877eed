"""RFC 6455 for a server, without I/O: bytes to what they mean, and what is meant to bytes.

Nothing here knows of chat, sockets or an event loop.
"""
