"""What is decided: rooms, members, names, limits, sessions, and the log as a sequence.

Nothing here does I/O, knows asyncio, reads a clock or draws a random number: time and randomness
come in as arguments, decisions go out as values.
"""
