"""What is moved: sockets, the hub's turn, catching up, the heartbeat."""
