#!/usr/bin/env python3
"""mangler.py FILE: plays one host by hand on the interface eth0 of the namespace it runs in, for answers that no kernel
gives: forged, broken, cut short. FILE holds JSON: the addresses v4 and v6, and for each port of TCP and of UDP what it
does over IPv4 and over IPv6; all other ports are closed. What a scan must make of each behaviour is in truth.py. Prints
'ready'."""

import ipaddress
import json
import socket
import sys
from typing import NamedTuple

import packets as p
from datagrams import Datagram, answer_datagram

ETH_P_ALL = 0x0003
OTHER = 0x40000000  # makes a number that is not the one we were asked with
OUR_SEQ = 1000
OUR_WINDOW = 16384
NEIGHBOR = b"\x4d"  # last byte of an address on the link that nobody has
BROKEN_OPTIONS = bytes([2, 4, 0x05, 0xB4, 3, 0, 8, 255])  # lengths that cannot be: 0, and past the end
NO_OPERATIONS = b"\x01" * 4  # options of RFC 791
EXTENSION_HEADERS = bytes([60, 0, 1, 4, 0, 0, 0, 0]) + bytes([p.PROTO_TCP, 0, 1, 4, 0, 0, 0, 0])  # PadN in both


class Segment(NamedTuple):
    """A TCP segment that came to us."""

    src: bytes
    dst: bytes
    source_port: int
    port: int
    seq: int
    ack: int
    flags: int
    packet: bytes  # from the IP header on

    def tcp(self, seq, ack, flags, **how):
        return p.tcp(self.dst, self.src, (self.port, self.source_port), seq, ack, flags, **how)

    def reset(self, window=0):
        """The RST of RFC 9293 section 3.10.7.1."""
        if self.flags & p.ACK:
            return self.ip(self.tcp(self.ack, 0, p.RST, window=window))
        ack = self.seq + bool(self.flags & (p.SYN | p.FIN))
        return self.ip(self.tcp(0, ack, p.RST | p.ACK, window=window))

    def ip(self, segment, **how):
        return p.ip(self.dst, self.src, p.PROTO_TCP, segment, **how)

    def syn_ack(self, **how):
        how = {"options": p.MSS_OPTION} | how
        return self.tcp(OUR_SEQ, self.seq + 1, p.SYN | p.ACK, **how)

    def error(self, type_, code, quote=None, **how):
        """An ICMP error that quotes what came."""
        proto = p.PROTO_ICMP if len(self.src) == 4 else p.PROTO_ICMPV6
        message = p.icmp(self.dst, self.src, type_, code, b"\0" * 4, self.packet if quote is None else quote, **how)
        return p.ip(self.dst, self.src, proto, message)

    def prohibited(self, quote=None, **how):
        return self.error(*((3, 13) if len(self.src) == 4 else (1, 1)), quote, **how)

    def head_len(self):
        return (self.packet[0] & 15) * 4 if len(self.src) == 4 else 40

    def quote_with(self, at, value):
        """What came, with the big-endian field at this place of the TCP header replaced."""
        at += self.head_len()
        return self.packet[:at] + value + self.packet[at + len(value) :]


def elsewhere(segment):
    return segment._replace(dst=segment.dst[:-1] + NEIGHBOR)


def listen(segment):
    """An open port, to what comes out of the blue (section 3.10.7.2)."""
    return [segment.reset()] if segment.flags & p.ACK else []


def listen_like_bsd(segment):
    if segment.flags & p.FIN:
        return []
    return [segment.reset(window=OUR_WINDOW)] if segment.flags & p.ACK else []


# behaviour: the IP packets that answer a segment that belongs to no connection and is no SYN, where that differs.
STRAY_ANSWERS = {
    "open": listen,
    "bsd-open": listen_like_bsd,
    "windows-open": lambda s: [s.reset()],
}

# behaviour: the IP packets that answer a SYN.
ANSWERS = {
    **dict.fromkeys(STRAY_ANSWERS, lambda s: [s.ip(s.syn_ack())]),
    "closed": lambda s: [s.reset()],
    "ack-wrong": lambda s: [s.ip(s.tcp(OUR_SEQ, s.seq + OTHER, p.SYN | p.ACK))],
    "reset-ack-wrong": lambda s: [s.ip(s.tcp(0, s.seq + OTHER, p.RST | p.ACK))],
    "reset-without-ack": lambda s: [s.ip(s.tcp(0, 0, p.RST))],
    "quote-other-seq": lambda s: [s.prohibited(s.quote_with(4, (s.seq ^ OTHER).to_bytes(4, "big")))],
    "quote-other-port": lambda s: [s.prohibited(s.quote_with(0, (s.source_port ^ 0x4000).to_bytes(2, "big")))],
    "quote-too-short": lambda s: [s.prohibited(s.packet[: s.head_len() + 4])],
    "quote-of-8-bytes": lambda s: [s.prohibited(s.packet[: s.head_len() + 8])],
    "icmp-checksum-bad": lambda s: [s.prohibited(checksum_error=0x0101)],
    "tcp-checksum-bad": lambda s: [s.ip(s.syn_ack(checksum_error=0x0101))],
    "header-cut": lambda s: [s.ip(s.syn_ack()[:12])],
    "offset-beyond": lambda s: [s.ip(s.syn_ack(options=b"", data_offset=15))],
    "length-beyond": lambda s: [s.ip(s.syn_ack(), extra_len=40)],
    "from-elsewhere": lambda s: [elsewhere(s).ip(elsewhere(s).syn_ack())],
    "ack-only": lambda s: [s.ip(s.tcp(OUR_SEQ, s.seq + 1, p.ACK))],
    "options-broken": lambda s: [s.ip(s.syn_ack(options=BROKEN_OPTIONS))],
    "ip-options": lambda s: [s.ip(s.syn_ack(), options=NO_OPERATIONS if len(s.src) == 4 else EXTENSION_HEADERS)],
    "twice": lambda s: [s.ip(s.syn_ack())] * 2,
    "syn-bare": lambda s: [s.ip(s.tcp(OUR_SEQ, 0, p.SYN, options=p.MSS_OPTION))],
}


def answer_segment(segment, behaviour):
    if not segment.flags & p.SYN and behaviour in STRAY_ANSWERS:
        return STRAY_ANSWERS[behaviour](segment)
    if behaviour in ANSWERS:
        return ANSWERS[behaviour](segment)
    _, type_, code = behaviour.split("-")  # "4:icmp-3-13"
    return [segment.error(int(type_), int(code))]


class Mangler:
    def __init__(self, config):
        self.v4 = ipaddress.ip_address(config["v4"]).packed
        self.v6 = ipaddress.ip_address(config["v6"]).packed
        self.tcp, self.udp = ({int(port): behaviours for port, behaviours in config[name].items()} for name in ("tcp", "udp"))
        self.connections = set()  # what a SYN began and no RST ended: there, only the handshake is answered
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.sock.bind(("eth0", ETH_P_ALL))
        self.mac = self.sock.getsockname()[4]

    def run(self):
        print("ready", flush=True)
        while True:
            frame, (_, _, packet_type, _, _) = self.sock.recvfrom(65536)
            if packet_type == socket.PACKET_OUTGOING:
                continue
            ethertype = int.from_bytes(frame[12:14], "big")
            for answer_type, answer in self.answers(ethertype, frame[14:]):
                self.sock.send(p.ethernet(frame[6:12], self.mac, answer_type, answer))

    def answers(self, ethertype, packet):
        """What we say to a packet: (EtherType, bytes) each."""
        if ethertype == p.ETHERTYPE_ARP and packet[6:8] == b"\0\1" and packet[24:28] == self.v4:
            return [(ethertype, p.arp_reply(self.mac, self.v4, packet[8:14], packet[14:18]))]
        if ethertype == p.ETHERTYPE_V4 and packet[16:20] == self.v4:
            head_len = (packet[0] & 15) * 4
            replies = self.answer(packet, packet[9], packet[12:16], self.v4, head_len)
            return [(ethertype, reply) for reply in replies]
        if ethertype == p.ETHERTYPE_V6 and packet[6] == p.PROTO_ICMPV6 and packet[40] == 135:
            solicited = packet[48:64] == self.v6
            return [(ethertype, p.neighbor_advertisement(self.mac, self.v6, packet[8:24]))] if solicited else []
        if ethertype == p.ETHERTYPE_V6 and packet[24:40] == self.v6:
            return [(ethertype, reply) for reply in self.answer(packet, packet[6], packet[8:24], self.v6, 40)]
        return []

    def answer(self, packet, proto, src, dst, head_len):
        """The IP packets that answer one to us."""
        above = packet[head_len:]
        if proto == p.PROTO_TCP and len(above) >= 20:
            source_port, port, seq, ack = (int.from_bytes(above[a:b], "big") for a, b in [(0, 2), (2, 4), (4, 8), (8, 12)])
            return self.answer_tcp(Segment(src, dst, source_port, port, seq, ack, above[13], packet))
        if proto == p.PROTO_UDP and len(above) >= 8:
            source_port, port, length = (int.from_bytes(above[at : at + 2], "big") for at in (0, 2, 4))
            datagram = Datagram(src, dst, source_port, port, above[8:length], packet)
            return answer_datagram(datagram, self.behaviour(self.udp, datagram))
        echo, reply = (8, 0) if proto == p.PROTO_ICMP else (128, 129)
        if proto in (p.PROTO_ICMP, p.PROTO_ICMPV6) and above[0] == echo:
            return [p.ip(dst, src, proto, p.icmp(dst, src, reply, 0, above[4:8], above[8:]))]
        return []

    @staticmethod
    def behaviour(ports, question):
        over_v4, over_v6 = ports.get(question.port, ("closed", "closed"))
        return over_v4 if len(question.src) == 4 else over_v6

    def answer_tcp(self, segment):
        behaviour = self.behaviour(self.tcp, segment)
        if behaviour == "mirror":
            return [segment.ip(segment.tcp(segment.seq, segment.ack, segment.flags))]
        connection = (segment.src, segment.source_port, segment.port)
        if segment.flags & p.RST:
            self.connections.discard(connection)
            return []
        if segment.flags & p.SYN and segment.flags & p.ACK:
            answers = behaviour == "syn-bare"
            return [segment.ip(segment.tcp(segment.ack, segment.seq + 1, p.ACK))] if answers else []
        if connection in self.connections and not segment.flags & p.SYN:
            return []
        if segment.flags & p.SYN:
            self.connections.add(connection)
        return answer_segment(segment, behaviour)


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        Mangler(json.load(file)).run()
