"""Hubbub, a chat server that one command starts.

Importing the package does no work and imports nothing: each part says for itself what it needs.
"""

__version__ = "0.1.0"
"""The one place of the version: the build reads it from here. Asking the installed package's
metadata instead took 50 ms of the start."""
