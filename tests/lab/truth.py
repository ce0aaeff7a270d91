"""The truth about the practice network: which hosts there are, what each port does, and what a scan must say of it.

The network is built from this file and the tests compare with it, so nothing is written down twice. A port has a
behaviour; BEHAVIOURS says how the host is made to behave so, and ANSWERS what each technique must conclude from it.

All addresses are from the blocks set apart for tests and documentation (RFC 2544, RFC 5737, RFC 3849)."""

from typing import NamedTuple, Optional

V4, V6 = 4, 6


class Verdict(NamedTuple):
    """What a scan must say of one port."""

    state: str
    reason: str
    source: Optional[str] = None  # the address that sent the evidence, when it is not the host's


# ----- what a port may do ------------------------------------------------------------------------------------------

# A firewall that lets SYNs in, and what belongs to a connection that one of them began.
STATEFUL = "ct state != established tcp flags & (fin | syn | rst | ack) != syn drop"

# What nftables does with a segment or datagram to the port; None: nothing, the host's own stack answers.
RULES = {
    "open": None,
    "closed": None,
    "quiet": None,  # of UDP: a server listens, and never says a word
    "stateful-open": STATEFUL,
    "stateful-closed": STATEFUL,
    "drop": "drop",
    "reset": "reject with tcp reset",
    "4:net-unreachable": "reject with icmp net-unreachable",
    "4:host-unreachable": "reject with icmp host-unreachable",
    "4:prot-unreachable": "reject with icmp prot-unreachable",
    "4:port-unreachable": "reject with icmp port-unreachable",
    "4:net-prohibited": "reject with icmp net-prohibited",
    "4:host-prohibited": "reject with icmp host-prohibited",
    "4:admin-prohibited": "reject with icmp admin-prohibited",
    "6:no-route": "reject with icmpv6 no-route",
    "6:addr-unreachable": "reject with icmpv6 addr-unreachable",
    "6:port-unreachable": "reject with icmpv6 port-unreachable",
    "6:policy-fail": "reject with icmpv6 policy-fail",
    "6:reject-route": "reject with icmpv6 reject-route",
    "6:admin-prohibited": "reject with icmpv6 admin-prohibited",
}

# Silence means what the technique makes of it: this for some, filtered for the others.
SILENCE = Verdict("filtered", "no-response")
RETURNED = Verdict("filtered", "probe-returned")  # the probe itself came back, which says as little
SILENT_STATES = dict.fromkeys(["udp", "null", "fin", "xmas", "maimon", "ip-protocol", "sctpcookieecho"],
                              "open|filtered")  # fmt: skip

OPEN = Verdict("open", "syn-ack")
# All that an idle scan can tell: whether the port answers a SYN with a SYN/ACK.
IDLE_OPEN = Verdict("open", "ipid-change")
IDLE_CLOSED = Verdict("closed|filtered", "no-ipid-change")
CLOSED = Verdict("closed", "reset")
ANY = "any technique"

STRAYS = ("null", "fin", "xmas", "maimon", "ack", "window")  # techniques whose segments belong to no connection
SCTP = ("sctpinit", "sctpcookieecho")  # techniques whose ports are SCTP's

NO_SCTP = ("4:prot-unreachable", "6:next-header")  # what a kernel without SCTP does at all of its ports

HANDSHAKE = {"syn": OPEN, "connect": OPEN, ANY: SILENCE}
REFUSAL = {"connect": Verdict("closed", "conn-refused"), "ack": Verdict("unfiltered", "reset"), ANY: CLOSED}
REFUSAL |= dict.fromkeys(SCTP, Verdict("closed", "abort")) | {"udp": Verdict("closed", "port-unreach")}
DATAGRAM = {"udp": Verdict("open", "udp-response"), ANY: SILENCE}
# RFC 9293 section 3.10.7.2: a listening port resets what has an ACK and drops the rest. As Linux does it, with a window of
# 0; others differ.
LISTENING = HANDSHAKE | {"maimon": CLOSED, "ack": Verdict("unfiltered", "reset"), "window": CLOSED}
LISTENING |= {"sctpinit": Verdict("open", "init-ack"), "udp": DATAGRAM["udp"]}

# behaviour: {technique: verdict}.
ANSWERS = {
    "open": LISTENING,
    "closed": REFUSAL,
    "reset": REFUSAL,
    "stateful-open": HANDSHAKE,
    "stateful-closed": {"syn": CLOSED, "connect": REFUSAL["connect"], ANY: SILENCE},
    # Stacks of others, made by hand. BSD: silent to FIN and ACK together, and its RSTs to an ACK carry the window that it
    # would have. Windows: resets what is no SYN, whatever the port.
    "bsd-open": LISTENING | {"maimon": SILENCE, "window": Verdict("open", "reset")},
    "windows-open": REFUSAL | {"syn": OPEN, "connect": OPEN},
    "drop": {ANY: SILENCE},
    "quiet": {ANY: SILENCE},
    "unresolved": {ANY: Verdict("filtered", "host-unreach")},  # no neighbour has the address: we say so ourselves
    "4:net-unreachable": {ANY: Verdict("filtered", "net-unreach")},
    "4:host-unreachable": {ANY: Verdict("filtered", "host-unreach")},
    "4:prot-unreachable": {ANY: Verdict("filtered", "proto-unreach")},
    "4:port-unreachable": {ANY: Verdict("filtered", "port-unreach")},
    "4:net-prohibited": {ANY: Verdict("filtered", "net-prohibited")},
    "4:host-prohibited": {ANY: Verdict("filtered", "host-prohibited")},
    "4:admin-prohibited": {ANY: Verdict("filtered", "admin-prohibited")},
    "6:no-route": {ANY: Verdict("filtered", "no-route")},
    "6:addr-unreachable": {ANY: Verdict("filtered", "host-unreach")},
    "6:port-unreachable": {ANY: Verdict("filtered", "port-unreach")},
    "6:policy-fail": {ANY: Verdict("filtered", "admin-prohibited")},
    "6:reject-route": {ANY: Verdict("filtered", "reject-route")},
    "6:next-header": {ANY: Verdict("filtered", "param-problem")},
    "6:admin-prohibited": {ANY: Verdict("filtered", "admin-prohibited")},
    # The forged and broken answers of the hand-made host; mangler.py has the bytes. None may change a state but those
    # that are right in what counts.
    "ack-wrong": {ANY: SILENCE},
    "reset-ack-wrong": {ANY: SILENCE},
    "reset-without-ack": {ANY: SILENCE},
    "quote-other-seq": {ANY: SILENCE},
    "quote-other-port": {ANY: SILENCE},
    "quote-too-short": {ANY: SILENCE},
    "icmp-checksum-bad": {ANY: SILENCE},
    "tcp-checksum-bad": {ANY: SILENCE},
    "header-cut": {ANY: SILENCE},
    "length-beyond": {ANY: SILENCE},
    "offset-beyond": {ANY: SILENCE},
    "from-elsewhere": {ANY: SILENCE},
    "ack-only": {ANY: SILENCE},
    # Sends back what it gets. The kernel takes its own SYN for the other side's (RFC 9293 section 3.5), and then each
    # segment for the answer to itself: a connect cannot tell.
    "mirror": {"connect": OPEN, ANY: RETURNED},
    "options-broken": HANDSHAKE,
    "ip-options": HANDSHAKE,
    "twice": HANDSHAKE,
    "quote-of-8-bytes": {ANY: Verdict("filtered", "admin-prohibited")},
    # Simultaneous open (RFC 9293 section 3.5): a connect completes it, a SYN scan sees the SYN alone.
    "syn-bare": HANDSHAKE | {"syn": Verdict("open", "split-handshake-syn")},
}
# The answers of the hand-made host's UDP ports; datagrams.py has the bytes.
ANSWERS |= dict.fromkeys(["udp-checksum-bad", "udp-cut", "udp-length-beyond", "udp-new-port", "udp-other-address",
                          "udp-quote-other-port", "udp-quote-too-short", "udp-icmp-checksum-bad"],
                         {ANY: SILENCE})  # fmt: skip
ANSWERS |= dict.fromkeys(["udp-empty", "udp-twice", "udp-ip-options", "dns-new-port"], DATAGRAM)
ANSWERS |= {"udp-quote-of-8-bytes": REFUSAL}
NEIGHBORS = ("198.18.0.77", "2001:db8:18::4d")  # nobody has these addresses; the hand-made host says it does
for number, neighbor in zip((V4, V6), NEIGHBORS):
    ANSWERS[f"{number}:dns-other-address"] = {ANY: Verdict("open", "udp-response", neighbor)}
    ANSWERS[f"{number}:unreachable-elsewhere"] = {ANY: Verdict("filtered", "port-unreach", neighbor)}
# Every code of destination unreachable (and time exceeded), made by hand. The kernel takes "fragmentation needed" for
# news about the path, so a connect goes on waiting.
ICMP4_REASONS = ["net-unreach", "host-unreach", "proto-unreach", "port-unreach", "dest-unreach", "dest-unreach",
                 "dest-unreach", "dest-unreach", "dest-unreach", "net-prohibited", "host-prohibited", "dest-unreach",
                 "dest-unreach", "admin-prohibited", "dest-unreach", "dest-unreach"]  # fmt: skip
ICMP6_REASONS = ["no-route", "admin-prohibited", "beyond-scope", "host-unreach", "port-unreach", "admin-prohibited",
                 "reject-route"]  # fmt: skip
ANSWERS |= {f"4:icmp-3-{code}": {ANY: Verdict("filtered", reason)} for code, reason in enumerate(ICMP4_REASONS)}
ANSWERS |= {f"6:icmp-1-{code}": {ANY: Verdict("filtered", reason)} for code, reason in enumerate(ICMP6_REASONS)}
ANSWERS |= {key: {ANY: Verdict("filtered", "time-exceeded")} for key in ("4:icmp-11-0", "6:icmp-3-0")}
ANSWERS["4:icmp-3-4"]["connect"] = SILENCE

# What Linux answers in an IP protocol, and how it refuses one. It is silent in a few that it knows: which, depends on the
# kernel (protocols.py).
PROTOCOL_ANSWERS = {
    V4: {1: Verdict("open", "echo-reply"), 6: Verdict("open", "proto-response"), 17: Verdict("open", "port-unreach")},
    V6: {58: Verdict("open", "echo-reply"), 6: Verdict("open", "proto-response"), 17: Verdict("open", "port-unreach")},
}
PROTOCOL_REFUSAL = {V4: Verdict("closed", "proto-unreach"), V6: Verdict("closed", "param-problem")}


# ----- the hosts ---------------------------------------------------------------------------------------------------


class Path(NamedTuple):
    """A delay line in front of the host."""

    delay_ms: float  # each way
    jitter_ms: float = 0
    loss_percent: float = 0


class Host(NamedTuple):
    name: str
    v4: str
    v6: str
    kind: str  # linux, mangler, absent (nobody has the address), or blackhole (the router drops all)
    routed: bool = False  # behind the router; else on the scanner's own link
    ports: dict = {}  # port: behaviour, or (behaviour over IPv4, behaviour over IPv6)
    udp: dict = {}  # the same of its UDP ports
    sctp: dict = {}  # and of its SCTP ports; empty: it has no SCTP
    rest: object = "closed"  # what all other ports do; when that is a rule, it is for everything but TCP too
    rules_at: str = "host"  # who carries out RULES: the host, or the router in front of it
    daemons: tuple = ()  # servers of daemons.py that listen at the open ports
    network: tuple = ()  # whole networks that are this host's own
    loss_percent: float = 0  # each way, at the host's own interface
    reset_limit: int = 0  # RSTs a second; 0: no limit
    icmp_interval_ms: int = 0  # between two ICMP errors, after the first few; 0: no limit
    path: Optional[Path] = None
    source: Optional[tuple] = None  # (IPv4, IPv6) address that sends the ICMP errors, when not the host's
    refused: frozenset = frozenset()  # for IP protocol scans: the protocols its kernel refuses, measured

    def address(self, family):
        return self.v4 if family == V4 else self.v6

    def behaviour(self, port, family, technique="syn"):
        what = self.special_ports(technique).get(port, self.rest)
        if technique in SCTP and not self.sctp:
            what = NO_SCTP
        return what if isinstance(what, str) else what[0 if family == V4 else 1]

    def special_ports(self, technique):
        """The ports that do something of their own."""
        return self.sctp if technique in SCTP else self.udp if technique == "udp" else self.ports

    def open_ports(self):
        return sorted(port for port, what in self.ports.items() if what in ("open", "stateful-open"))

    def open_sctp_ports(self):
        return sorted(port for port, what in self.sctp.items() if what == "open")

    def udp_ports(self, what):
        return sorted(port for port, behaviour in self.udp.items() if behaviour == what)

    def is_found(self):
        """Does discovery find the host? On the link everybody answers ARP; a firewall may hide one further away."""
        rest = self.behaviour(None, V4)
        return self.kind in ("linux", "mangler") and not (self.routed and rest != "closed")

    def truth(self, port, family, technique):
        """The verdict that a scan of this port, or IP protocol, must give."""
        if technique == "ip-protocol":
            return self.protocol_truth(port, family)
        behaviour = self.behaviour(port, family, technique)
        if technique == "idle":
            return IDLE_OPEN if ANSWERS[behaviour].get("syn") == OPEN else IDLE_CLOSED
        if technique in FTP_SERVERS:
            return FTP_SERVERS[technique].truth(behaviour, port, family)
        answers = ANSWERS[behaviour]
        verdict = answers.get(technique) or answers[ANY]
        if verdict in (SILENCE, RETURNED):
            return verdict._replace(state=SILENT_STATES.get(technique, verdict.state))
        own = ("syn-ack", "reset", "conn-refused", "udp-response")
        if self.source and behaviour != "closed" and verdict.reason not in own:
            verdict = verdict._replace(source=self.source[0 if family == V4 else 1])
        if technique == "udp" and verdict.reason == "port-unreach":
            verdict = verdict._replace(state="filtered" if verdict.source else "closed")
        return verdict

    def protocol_truth(self, protocol, family):
        if protocol in self.refused:
            return PROTOCOL_REFUSAL[family]
        silent = SILENCE._replace(state=SILENT_STATES["ip-protocol"])
        return PROTOCOL_ANSWERS[family].get(protocol, silent)


# ----- FTP servers that connect for others ---------------------------------------------------------------------------


class FtpServer(NamedTuple):
    port: int  # of the host below
    lowest: int = 1  # port that it connects to
    eprt: bool = False  # it connects to IPv6 addresses too
    gives_reasons: bool = False  # when it cannot

    def truth(self, behaviour, port, family):
        """What a bounce scan through it must say of a port."""
        if port < self.lowest or (family == V6 and not self.eprt):
            return Verdict("unknown", "relay-refused")
        if behaviour in ("open", "stateful-open"):
            return Verdict("open", "ftp-transfer")
        if behaviour == "drop":
            return SILENCE
        if self.gives_reasons and "unreachable" in behaviour:
            return Verdict("filtered", "host-unreach")
        return Verdict("closed", "ftp-refused")


FTP_SERVERS = {
    "bounce": FtpServer(2121, eprt=True, gives_reasons=True),  # made by hand
    "bounce-vsftpd": FtpServer(2123, lowest=1024),
    "bounce-pyftpdlib": FtpServer(2124),
}
FTP_FORBIDS = FtpServer(2122)
FTP = Host("ftp", "198.18.0.21", "2001:db8:18::21", "linux", daemons=("ftpd", "ftpd-forbids", "vsftpd", "pyftpd"),
           ports=dict.fromkeys([2121, 2122, 2123, 2124], "open"))  # fmt: skip

# The ports of a Linux host with a firewall: one for each thing it may do.
FIREWALL = {
    22: "open",
    80: "open",
    1000: "drop",
    1001: "reset",
    1002: ("4:net-unreachable", "6:no-route"),
    1003: ("4:host-unreachable", "6:addr-unreachable"),
    1004: ("4:prot-unreachable", "6:reject-route"),
    1005: ("4:port-unreachable", "6:port-unreachable"),
    1006: ("4:net-prohibited", "6:policy-fail"),
    1007: ("4:host-prohibited", "6:admin-prohibited"),
    1008: ("4:admin-prohibited", "6:admin-prohibited"),
    8080: "open",
}

# The same of UDP.
UDP_FIREWALL = {port: what for port, what in FIREWALL.items() if port > 80 and what not in ("open", "reset")}
UDP_FIREWALL |= {7: "open", 1009: "quiet"}

FORGED = ["ack-wrong", "reset-ack-wrong", "reset-without-ack", "quote-other-seq", "quote-other-port", "quote-too-short",
          "icmp-checksum-bad", "tcp-checksum-bad", "header-cut", "offset-beyond", "length-beyond", "from-elsewhere",
          "ack-only", "options-broken", "ip-options", "twice", "quote-of-8-bytes", "syn-bare", "mirror"]  # fmt: skip
MANGLED = {2000 + i: what for i, what in enumerate(FORGED)}
MANGLED |= {2100 + code: (f"4:icmp-3-{code}", f"6:icmp-1-{code % 7}") for code in range(16)}
MANGLED |= {2116: ("4:icmp-11-0", "6:icmp-3-0"), 2200: "bsd-open", 2201: "windows-open"}

MANGLED_UDP = {
    53: "dns-new-port", 5353: ("4:dns-other-address", "6:dns-other-address"),
    3000: "udp-checksum-bad", 3001: "udp-cut", 3002: "udp-length-beyond", 3003: "udp-new-port", 3004: "udp-other-address",
    3005: "udp-quote-other-port", 3006: "udp-quote-too-short", 3007: "udp-icmp-checksum-bad",
    3010: "udp-empty", 3011: "udp-twice", 3012: "udp-ip-options", 3013: "udp-quote-of-8-bytes",
    3014: ("4:unreachable-elsewhere", "6:unreachable-elsewhere"),
}  # fmt: skip
MANGLED_UDP |= {port: what for port, what in MANGLED.items() if isinstance(what, tuple)}

SCANNER = ("198.18.0.1", "2001:db8:18::1")
ZOMBIE = "198.18.0.90"  # lwIP on a TAP device, for idle scans
ROUTER = ("198.18.0.254", "2001:db8:18::fe")
UNREACHABLE_V4 = "192.0.2.1"  # not one of them: no route leads there
BLOCKS = ["198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"]  # all that the scanner can reach

HOSTS = [
    # On the scanner's link: ARP and neighbour discovery are real.
    Host("linux", "198.18.0.2", "2001:db8:18::2", "linux", ports=FIREWALL, udp=UDP_FIREWALL),
    Host("daemons", "198.18.0.3", "2001:db8:18::3", "linux", ports=dict.fromkeys([22, 53, 80], "open"),
         udp=dict.fromkeys([53, 69, 123, 161], "open"), daemons=("nginx", "sshd", "dnsmasq", "snmpd", "chronyd", "tftpd"), icmp_interval_ms=20),
    Host("shut", "198.18.0.4", "2001:db8:18::4", "linux"),
    Host("mute", "198.18.0.5", "2001:db8:18::5", "linux", rest="drop"),
    Host("odd", "198.18.0.6", "2001:db8:18::6", "mangler", ports={22: "open"} | MANGLED, udp=MANGLED_UDP),
    Host("stateful", "198.18.0.7", "2001:db8:18::7", "linux",
         ports={22: "stateful-open", 80: "stateful-closed", 1000: "drop"}),
    Host("sctp", "198.18.0.8", "2001:db8:18::8", "linux",
         sctp={2905: "open", 5060: "open", 5061: "drop", 5062: ("4:admin-prohibited", "6:admin-prohibited")}),
    FTP,
    Host("absent", "198.18.0.99", "2001:db8:18::99", "absent", rest="unresolved", source=SCANNER),
    # Behind the router.
    Host("far", "203.0.113.2", "2001:db8:113:1::2", "linux", routed=True, ports=FIREWALL, udp=UDP_FIREWALL),
    Host("guarded", "203.0.113.6", "2001:db8:113:2::2", "linux", routed=True, ports=FIREWALL, udp=UDP_FIREWALL,
         rules_at="router", source=ROUTER),
    Host("slow", "203.0.113.10", "2001:db8:113:3::2", "linux", routed=True, ports={22: "open", 1000: "drop"},
         path=Path(delay_ms=20, jitter_ms=2)),
    Host("crawl", "203.0.113.14", "2001:db8:113:4::2", "linux", routed=True, ports={22: "open", 1000: "drop"},
         path=Path(delay_ms=650)),
    Host("lossy", "203.0.113.18", "2001:db8:113:5::2", "linux", routed=True, loss_percent=10,
         ports={1 + 97 * i: "open" for i in range(50)}),
    Host("wide", "203.0.113.22", "2001:db8:113:6::2", "linux", routed=True,
         ports={1 + 327 * i: "open" for i in range(200)}),
    Host("limited", "203.0.113.26", "2001:db8:113:7::2", "linux", routed=True, reset_limit=200,
         ports={22: "open", 80: "open"}),
    Host("terse", "203.0.113.38", "2001:db8:113:10::2", "linux", routed=True, icmp_interval_ms=100),
    Host("range", "203.0.113.30", "2001:db8:113:8::2", "linux", routed=True,
         network=("198.19.0.0/16", "2001:db8:19::/64"), ports={30001: "open", 30004: "open", 30010: "open"}),
    Host("barred", "203.0.113.34", "2001:db8:113:9::2", "linux", routed=True, rules_at="router", source=ROUTER,
         rest=("4:admin-prohibited", "6:admin-prohibited")),
    Host("silent", "198.51.100.1", "2001:db8:51:1::1", "blackhole", routed=True, rest="drop"),
]

BY_NAME = {host.name: host for host in HOSTS}

# What the hand-made host does that must change nothing and be counted.
FORGERIES = [what for what in FORGED if ANSWERS[what].get(ANY) == SILENCE]
UDP_FORGERIES = [what for what in MANGLED_UDP.values() if isinstance(what, str) and ANSWERS[what] == {ANY: SILENCE}]

# Every port that some host treats in a way of its own; the tests ask all of them of every host.
INTERESTING = sorted({*FIREWALL, *MANGLED, 443, 65535})
UDP_PORTS = sorted({*UDP_FIREWALL, *MANGLED_UDP, 69, 123, 161, 443, 65535})
FTP_PORTS = [22, 443, 1000, 1003, 2000, 8080]
SCTP_PORTS = [2904, 2905, 2906, 5060, 5061, 5062]
