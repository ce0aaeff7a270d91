#!/usr/bin/env python3
"""Nmap in the practice network. Wherever Nmap is right it says what truth.py says, which shows that the network does what
its table claims; where Nmap is wrong, this file has what it says instead, and why."""

import collections
import itertools
import sys
import unittest

import labtest
import scan
import truth
from network import HAS_SCTP, NO_SCTP
from truth import V4, V6

OPEN, CLOSED, REFUSED = ("open", "syn-ack"), ("closed", "reset"), ("closed", "conn-refused")
SILENT = ("filtered", "no-response")
LEFT_OUT = None
NOT_CHECKED = "Nmap does not check the acknowledgement number of an answer"
NO_CHECKSUM = "Nmap verifies no checksum"
MIRRORED = "Nmap takes its probe, or what its own kernel says to it, for an answer when it comes back"
NOT_KNOWN = "Nmap does not know this code, and waits for an answer that has come"

# What Nmap's SYN scan says instead of the truth, and why. {behaviour: (what it says, why)}
SYN_ERRORS = {
    "ack-wrong": (OPEN, NOT_CHECKED),
    "reset-ack-wrong": (CLOSED, NOT_CHECKED),
    "reset-without-ack": (CLOSED, NOT_CHECKED),
    "icmp-checksum-bad": (("filtered", "admin-prohibited"), NO_CHECKSUM),
    "tcp-checksum-bad": (OPEN, NO_CHECKSUM),
    "length-beyond": (OPEN, "Nmap does not compare the length of a packet with what came (seen on Linux 6.1)"),
    "options-broken": (SILENT, "Nmap does not see a packet whose TCP options are broken"),
    "ip-options": (SILENT, "Nmap's capture filter does not look behind IPv6 extension headers"),
    "mirror": (("open", "split-handshake-syn"), MIRRORED),
    "unresolved": (LEFT_OUT, "Nmap takes an on-link host without a neighbour for down, in spite of -Pn"),
    **{f"4:icmp-3-{code}": (SILENT, NOT_KNOWN) for code in (4, 5, 6, 7, 8, 11, 12, 14, 15)},
    "6:icmp-3-0": (SILENT, "Nmap reads time exceeded over IPv4 only"),
}


STRAY_ERRORS = SYN_ERRORS | {"mirror": (CLOSED, MIRRORED)}


def explain_syn(difference):
    said, why = SYN_ERRORS.get(difference.behaviour, ((), None))
    return why if verdict_of(difference) == said else None


def explain_connect(difference):
    """Nmap's connect scan knows nothing but errno."""
    if difference.expected.state != "filtered" or difference.expected.reason == "no-response":
        return None
    said = verdict_of(difference)
    if difference.behaviour == "unresolved" and said == SILENT:
        return "Nmap does not wait until the kernel has given the neighbour up"
    if said == REFUSED and difference.expected.reason == "port-unreach":
        return "for Nmap a port unreachable is the same as a reset: both are ECONNREFUSED"
    if said == OPEN and difference.behaviour == "4:icmp-3-5":
        return "Nmap takes EOPNOTSUPP, a failed source route, for a connection"
    if said == SILENT and difference.behaviour == "4:icmp-3-7":
        return "Nmap takes EHOSTDOWN for silence"
    if said == difference.expected[:2]:
        return "errno does not tell who sent the error"
    if said == SILENT:
        return "the kernel keeps an error that comes during connect() until it sends again; Nmap has given up by then"
    return "several ICMP codes give the same errno" if said and said[0] == "filtered" else None


def verdict_of(difference):
    return difference.found and difference.found[:2]


def explain_stray(difference):
    """The same errors as of a SYN scan; what state they come to, depends on the technique."""
    said, why = STRAY_ERRORS.get(difference.behaviour, (None, None))
    return why if said and verdict_of(difference)[1] == said[1] else None


NO_ANSWER = ("open|filtered", "no-response")
ELSEWHERE = "Nmap does not look at a datagram that comes from elsewhere than where it asked"

# The same of its UDP scan. What it says of codes that it does not know, it says of UDP too.
UDP_ERRORS = {
    "udp-checksum-bad": (("open", "udp-response"), NO_CHECKSUM),
    "udp-icmp-checksum-bad": (("closed", "port-unreach"), NO_CHECKSUM),
    "udp-length-beyond": (("open", "udp-response"), "Nmap does not compare the length of a datagram with what came"),
    "udp-ip-options": (NO_ANSWER, SYN_ERRORS["ip-options"][1]),
    "dns-new-port": (NO_ANSWER, ELSEWHERE),
    **{f"{family}:dns-other-address": (NO_ANSWER, ELSEWHERE) for family in (V4, V6)},
    **{what: (NO_ANSWER, why) for what, (said, why) in SYN_ERRORS.items() if said == SILENT and what[1] == ":"},
    "unresolved": SYN_ERRORS["unresolved"],
}


def explain_udp(difference):
    said, why = UDP_ERRORS.get(difference.behaviour, ((), None))
    if verdict_of(difference) == said:
        return why
    if difference.host == "daemons" and verdict_of(difference) == NO_ANSWER:
        open_there = difference.behaviour == "open"  # TFTP, RFC 1350 section 4: from a new port
        return ELSEWHERE if open_there else "Nmap takes the silence of a limiter for that of a port"
    return None


EXPLAIN = {"syn": explain_syn, "connect": explain_connect, "udp": explain_udp}


class Nmap(labtest.LabTest):
    def compare(self, technique, family, hosts=labtest.ORDINARY, ports=truth.INTERESTING):
        options = scan.options(technique, family, hosts, ports)
        status, out, err = scan.run(self.network, ["nmap", "-Pn", "-T4", "--min-rate=200", "-oX", "-", *options])
        self.assertEqual(status, 0, err)
        found = list(scan.differences(scan.read_xml(out), technique, family, hosts, ports))
        explained = collections.Counter()
        for difference in found:
            if why := EXPLAIN.get(technique, explain_stray)(difference):
                said = " ".join(verdict_of(difference) or ["nothing"])
                explained[f"{difference.behaviour} ({' '.join(difference.expected[:2])}): {said}; {why}"] += 1
        for text, count in sorted(explained.items()):
            print(f"    Nmap is wrong about {count} of {text}")
        unexplained = [difference for difference in found if not EXPLAIN.get(technique, explain_stray)(difference)]
        self.assertFalse(unexplained, scan.describe(unexplained))

    def test_syn_v4(self):
        self.compare("syn", V4)

    def test_syn_v6(self):
        self.compare("syn", V6)

    def test_connect_v4(self):
        self.compare("connect", V4)

    def test_connect_v6(self):
        self.compare("connect", V6)

    def test_udp_v4(self):
        self.compare("udp", V4, ports=truth.UDP_PORTS)

    def test_udp_v6(self):
        self.compare("udp", V6, ports=truth.UDP_PORTS)

    def test_strays(self):
        for technique, family in itertools.product(truth.STRAYS, (V4, V6)):
            with self.subTest(technique=technique, family=family):
                self.compare(technique, family, labtest.STACKS)

    @unittest.skipUnless(HAS_SCTP, NO_SCTP)
    def test_sctp(self):
        for technique in truth.SCTP:
            for family in (V4, V6):
                with self.subTest(technique=technique, family=family):
                    self.compare(technique, family, [truth.BY_NAME["sctp"], truth.BY_NAME["shut"]], truth.SCTP_PORTS)


if __name__ == "__main__":
    sys.exit(labtest.main())
