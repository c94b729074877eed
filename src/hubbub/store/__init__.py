"""What is kept: the durable order of each room's events. One interface, several stores."""
