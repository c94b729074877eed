"""Who may: the proof that a session is itself, and where a connection comes from."""
