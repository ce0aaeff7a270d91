"""Which IP protocols the kernel of a host refuses. That depends on the kernel and its modules, so the truth about it is
measured: with an empty packet of each protocol, by none of the scanner's code."""

import ipaddress
import socket

import packets
from truth import SCANNER, V4

PROTOCOLS = range(256)
TRIES = 2
QUIET_S = 0.3  # more than a round trip to any host that is not slow
QUOTE_AT = 8  # bytes of an ICMP message in front of the packet it quotes


def refused(network, host, family):
    """The protocols that the host refuses, when nothing limits how often it says so."""
    domain, icmp = (socket.AF_INET, packets.PROTO_ICMP) if family == V4 else (socket.AF_INET6, packets.PROTO_ICMPV6)
    with network.inside("scanner"):
        sender = socket.socket(domain, socket.SOCK_RAW, socket.IPPROTO_RAW)
        receiver = socket.socket(domain, socket.SOCK_RAW, icmp)
    found = set()
    with sender, receiver:
        receiver.settimeout(QUIET_S)
        for _ in range(TRIES):
            ask(sender, host.address(family))
            found |= set(heard(receiver, host.address(family)))
    return found


def ask(sender, address):
    ours, theirs = (ipaddress.ip_address(text).packed for text in (SCANNER[":" in address], address))
    for protocol in PROTOCOLS:
        sender.sendto(packets.ip(ours, theirs, protocol, b""), (address, 0))


def heard(receiver, address):
    """The protocols that come back, until it is quiet."""
    while True:
        try:
            message, (source, *_) = receiver.recvfrom(65536)
        except TimeoutError:
            return
        if source == address and (protocol := refused_protocol(message, receiver.family)) is not None:
            yield protocol


def refused_protocol(message, domain):
    """Of protocol unreachable (RFC 792), or of unrecognized next header (RFC 8200 section 4); else None."""
    if domain == socket.AF_INET:
        message = message[(message[0] & 15) * 4 :]  # the kernel gives the IPv4 header with it
        error, protocol_at = bytes([3, 2]), QUOTE_AT + 9
    else:
        error, protocol_at = bytes([4, 1]), QUOTE_AT + 6
    return message[protocol_at] if message[:2] == error else None
