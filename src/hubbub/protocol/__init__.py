"""The frames of Hubbub: what a client may say and what it hears. The one definition of the wire.

The JSON Schema and the tables of `docs/protocol.md` are made from the structs here, so a frame
that is not described here does not exist. Nothing in this folder does I/O or keeps state.
"""
