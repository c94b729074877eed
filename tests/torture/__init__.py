"""The server under torture: killed, cut and stalled at random, and held to its promises.

Clients that a careful person would write talk to the real command, which dies under them again
and again. Laws that they hold it to: what was acknowledged is in the log once; each reader hears
the log, in order, without an untold gap; what one saw live is what one finds who comes later.
With many nodes (`cluster`, `failover`), all that on every node, and each one's rosters and counts
are who is there, by what it tells at once and by what it told of coming and going.
"""
