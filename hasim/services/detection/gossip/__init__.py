"""Gossip: SWIM with Lifeguard's parts, as memberlist has them; one member is a sans-IO machine."""
