"""How the hand-made host answers a UDP datagram, by what the port does."""

from typing import NamedTuple

import packets as p

NEW_PORT = 40069
NEIGHBOR = b"\x4d"  # last byte of an address on the link that nobody has
DNS_RESPONSE = 0x80  # RFC 1035 section 4.1.1: QR, in the third byte
NO_OPERATIONS = b"\x01" * 4  # options of RFC 791
EXTENSION_HEADER = bytes([p.PROTO_UDP, 0, 1, 4, 0, 0, 0, 0])  # PadN


class Datagram(NamedTuple):
    """A UDP datagram that came to us."""

    src: bytes
    dst: bytes
    source_port: int
    port: int
    payload: bytes
    packet: bytes  # from the IP header on

    def udp(self, payload, **how):
        return p.udp(self.dst, self.src, (self.port, self.source_port), payload, **how)

    def answer(self, payload, **how):
        return p.ip(self.dst, self.src, p.PROTO_UDP, self.udp(payload, **how))

    def dns(self):
        """The question itself, marked as a response."""
        payload = bytearray(self.payload)
        payload[2] |= DNS_RESPONSE
        return bytes(payload)

    def error(self, type_, code, quote=None, **how):
        """An ICMP error that quotes what came."""
        proto = p.PROTO_ICMP if len(self.src) == 4 else p.PROTO_ICMPV6
        message = p.icmp(self.dst, self.src, type_, code, b"\0" * 4, self.packet if quote is None else quote, **how)
        return p.ip(self.dst, self.src, proto, message)

    def unreachable(self, quote=None, **how):
        """Port unreachable."""
        return self.error(*((3, 3) if len(self.src) == 4 else (1, 4)), quote, **how)

    def head_len(self):
        return (self.packet[0] & 15) * 4 if len(self.src) == 4 else 40

    def quote_of(self, length):
        return self.packet[: self.head_len() + length]

    def quote_with_source_port(self, port):
        at = self.head_len()
        return self.packet[:at] + port.to_bytes(2, "big") + self.packet[at + 2 :]


def elsewhere(datagram):
    return datagram._replace(dst=datagram.dst[:-1] + NEIGHBOR)


def behind_options(datagram):
    options = NO_OPERATIONS if len(datagram.src) == 4 else EXTENSION_HEADER
    return p.ip(datagram.dst, datagram.src, p.PROTO_UDP, datagram.udp(b"hi"), options=options)


# behaviour: the IP packets that answer.
ANSWERS = {
    "closed": lambda d: [d.unreachable()],
    "udp-checksum-bad": lambda d: [d.answer(b"hi", checksum_error=0x0101)],
    "udp-cut": lambda d: [p.ip(d.dst, d.src, p.PROTO_UDP, d.udp(b"hi")[:6])],
    "udp-length-beyond": lambda d: [d.answer(b"hi", length=100)],
    "udp-new-port": lambda d: [d._replace(port=NEW_PORT).answer(b"hi")],
    "udp-other-address": lambda d: [elsewhere(d).answer(b"hi")],
    "udp-quote-other-port": lambda d: [d.unreachable(quote=d.quote_with_source_port(d.source_port ^ 0x4000))],
    "udp-quote-too-short": lambda d: [d.unreachable(quote=d.quote_of(4))],
    "udp-quote-of-8-bytes": lambda d: [d.unreachable(quote=d.quote_of(8))],
    "udp-icmp-checksum-bad": lambda d: [d.unreachable(checksum_error=0x0101)],
    "udp-empty": lambda d: [d.answer(b"")],
    "udp-twice": lambda d: [d.answer(b"hi")] * 2,
    "udp-ip-options": lambda d: [behind_options(d)],
    "unreachable-elsewhere": lambda d: [elsewhere(d).unreachable()],
    "dns-new-port": lambda d: [d._replace(port=NEW_PORT).answer(d.dns())],
    "dns-other-address": lambda d: [elsewhere(d).answer(d.dns())],
}


def answer_datagram(datagram, behaviour):
    behaviour = behaviour.removeprefix("4:").removeprefix("6:")
    if behaviour in ANSWERS:
        return ANSWERS[behaviour](datagram)
    _, type_, code = behaviour.split("-")  # "icmp-3-13"
    return [datagram.error(int(type_), int(code))]
