"""How many bytes the checks of an observer are on the wire, with the headers of IPv4.

A probe is one of HTTP/1.0 over a connection of its own (HAProxy `option httpchk`): three packets
to open it, the request and its acknowledgement, the answer, three to close it. One that is not
answered is counted as if it were. A heartbeat is a datagram with a number and a time, a packet of
gossip one with what memberlist's messages hold (RFC 791, 768, 9293; memberlist's net.go).
"""

from __future__ import annotations

from hasim.events import GossipHeard, GossipPacket, Heartbeat, ProbeStretch, SendGossip, SendProbe
from hasim.measures.records import Records

TCP, UDP = 20 + 20, 20 + 8
"""Headers of IP and of the protocol."""
PROBE = 9 * TCP + len("OPTIONS / HTTP/1.0\r\n\r\n") + len("HTTP/1.0 200 OK\r\n\r\n")
HEARTBEAT = UDP + 8 + 8
NUMBERS, NAME = 4, 1
"""A number, and what stands before a text; a name is as long as it is."""


def packet_bytes(packet: GossipPacket) -> int:
    """One packet of gossip: its kind, its number, and the pieces of news in it."""
    size = UDP + 1 + NUMBERS + NAME + len(packet.about)
    for news in packet.news:
        size += 1 + NUMBERS + 2 * NAME + len(news.member) + len(news.by)
    return size


def check_bytes(records: Records) -> int:
    """Of all probes that were sent, heartbeats that were heard, packets that were sent or heard."""
    probes = len(records.of(SendProbe)) + sum(s.sent for _, s in records.of(ProbeStretch))
    sent = sum(packet_bytes(effect.packet) for _, effect in records.of(SendGossip))
    heard = sum(packet_bytes(item.packet) for _, item in records.of(GossipHeard))
    return PROBE * probes + HEARTBEAT * len(records.of(Heartbeat)) + sent + heard
