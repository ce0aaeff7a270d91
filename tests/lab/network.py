"""Raises and takes down the practice network of truth.py, in network namespaces that no link joins to the machine's own.

    scanner ── switch ── linux, daemons, shut, mute, odd, ftp
                  └───── router ── far, guarded, slow, crawl, lossy, wide, limited, range, barred

Each instance has a name; its namespaces are NAME-scanner, NAME-switch and so on, so several can be up at once. All that
an instance started lives in its namespaces, and is found there when it is taken down, also after a crash."""

import contextlib
import ctypes
import ipaddress
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import daemons
import truth

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = Path(os.environ.get("PORTOLAN_BUILD", ROOT / "build"))
SCTP_LISTENER = BUILD / "tests/lab/sctp_listener"
ZOMBIE = BUILD / "tests/lab/zombie"
HAS_ZOMBIE = ZOMBIE.exists()
NO_ZOMBIE = "built without lwIP"
# It is built only where there is usrsctp, and a kernel's own SCTP would answer beside it.
HAS_SCTP = SCTP_LISTENER.exists() and not Path("/proc/net/sctp").exists()
NO_SCTP = "built without usrsctp, or the kernel's SCTP is in the way"
NETNS = Path("/run/netns")
CLONE_NEWNET = 0x40000000
READY_S = 120
REST = None  # no port that has a behaviour of its own
INFRASTRUCTURE = ["scanner", "switch", "router"]

# Nothing here may limit, delay or filter but what truth.py says. A kernel that has one of these only for the whole
# machine keeps its own value.
SETTINGS = {
    "ipv4/icmp_ratelimit": "0",
    "ipv4/icmp_msgs_per_sec": "1000000",
    "ipv4/icmp_msgs_burst": "100000",
    "ipv6/icmp/ratelimit": "0",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
    "ipv4/ip_unprivileged_port_start": "0",
    "ipv6/conf/default/accept_dad": "0",
    "ipv6/conf/default/accept_ra": "0",
    "ipv6/conf/default/autoconf": "0",
}
FORWARDING = {"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1"}


class LabError(Exception):
    """One line for the user: what could not be raised, and why."""


def run(command, text=None):
    result = subprocess.run(command, input=text, capture_output=True, text=True)
    if result.returncode:
        raise LabError(f"{' '.join(map(str, command))}: {result.stderr.strip()}")
    return result.stdout


class Network:
    def __init__(self, name):
        if not re.fullmatch(r"[a-z0-9]{1,20}", name):
            raise LabError(f"'{name}' is no name for a practice network: use a-z and 0-9")
        self.name = name
        self.state = Path("/run/portolan-lab", name)  # configuration and logs of what runs
        self.processes = []
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.libc = ctypes.CDLL(None, use_errno=True)

    # ----- namespaces ----------------------------------------------------------------------------------------------

    def namespace(self, host):
        return NETNS / f"{self.name}-{host}"

    def namespaces(self):
        return sorted(NETNS.glob(f"{self.name}-*"))

    def enter(self, path):
        with open(path, "rb") as file:
            if self.libc.setns(file.fileno(), CLONE_NEWNET):
                raise LabError(f"cannot enter {path}: {os.strerror(ctypes.get_errno())}")

    @contextlib.contextmanager
    def inside(self, host):
        """What runs in this block, and its children, is in the host's namespace."""
        self.enter(self.namespace(host))
        try:
            yield
        finally:
            self.leave()

    def leave(self):
        if self.libc.setns(self.home, CLONE_NEWNET):
            sys.exit("cannot go back to the machine's own network namespace")

    def ip(self, host, commands):
        with self.inside(host):
            run(["ip", "-batch", "-"], "".join(command + "\n" for command in commands))

    # ----- up ------------------------------------------------------------------------------------------------------

    def up(self):
        """Raises the network; when this returns, every host answers."""
        if os.geteuid() != 0:
            raise LabError("the practice network needs root, for network namespaces")
        self.down()
        try:
            self.raise_all()
        except BaseException:
            self.down()
            raise

    def raise_all(self):
        self.state.mkdir(parents=True)
        for folder in (self.state.parent, self.state):
            folder.chmod(0o755)  # whatever the umask: what runs as nobody reads here
        for name in [*INFRASTRUCTURE, *(host.name for host in self.machines())]:
            run(["ip", "netns", "add", f"{self.name}-{name}"])
            self.settle(name)
        for host in self.machines():
            self.limit_errors(host)
        self.raise_middle()
        processes = []
        for host in self.machines():
            self.raise_host(host)
            processes += self.start(host)
        processes.append(self.start_listeners())
        processes += self.start_zombie()
        self.wait(processes)

    @staticmethod
    def machines():
        """The hosts that have a namespace."""
        return [host for host in truth.HOSTS if host.kind in ("linux", "mangler")]

    def settle(self, name):
        settings = SETTINGS | (FORWARDING if name == "router" else {})
        with self.inside(name):
            for key, value in settings.items():
                path = Path("/proc/sys/net", key)
                if path.exists():
                    path.write_text(value)
            run(["ip", "link", "set", "lo", "up"])

    def limit_errors(self, host):
        if not host.icmp_interval_ms:
            return
        with self.inside(host.name):
            for key in ("ipv4/icmp_ratelimit", "ipv6/icmp/ratelimit"):
                Path("/proc/sys/net", key).write_text(str(host.icmp_interval_ms))

    def raise_middle(self):
        """The switch, with the scanner and the router on it."""
        self.ip("switch", ["link add switch type bridge mcast_snooping 0", "link set switch up"])
        for name, (v4, v6) in {"scanner": truth.SCANNER, "router": truth.ROUTER}.items():
            self.plug(name)
            self.ip(name, [f"address add {v4}/24 dev eth0", f"address add {v6}/64 dev eth0 nodad"])
        self.ip("scanner", [f"route add {block} via {truth.ROUTER[':' in block]}" for block in truth.BLOCKS])
        for host in truth.HOSTS:
            if host.kind == "blackhole":
                self.ip("router", [f"route add blackhole {address}" for address in (host.v4, host.v6)])

    def plug(self, name):
        """Joins a namespace to the switch."""
        self.ip("switch", [f"link add {name} type veth peer name eth0 netns {self.name}-{name}",
                           f"link set {name} master switch up"])  # fmt: skip
        self.ip(name, ["link set eth0 up"])

    def raise_host(self, host):
        if host.routed:
            self.route_to(host)
        else:
            self.plug(host.name)
            if host.kind == "linux":
                self.ip(host.name, [f"address add {host.v4}/24 dev eth0", f"address add {host.v6}/64 dev eth0 nodad"])
        if host.kind == "linux":
            self.ip(host.name, [f"route add local {network} dev lo" for network in host.network])
            self.load_rules(host)

    def route_to(self, host):
        """A link of its own between the router and the host."""
        gateway = [str(ipaddress.ip_address(host.v4) - 1), str(ipaddress.ip_address(host.v6) - 1)]
        if host.path:
            self.ip("router", [f"tuntap add dev {host.name} mode tap"])
            self.ip(host.name, ["tuntap add dev eth0 mode tap"])
        else:
            self.ip("router", [f"link add {host.name} type veth peer name eth0 netns {self.name}-{host.name}"])
        for name, device, peer, addresses, others in [
            ("router", host.name, "02:00:00:00:00:02", gateway, [host.v4, host.v6]),
            (host.name, "eth0", "02:00:00:00:00:01", [host.v4, host.v6], gateway),
        ]:
            own = "02:00:00:00:00:01" if name == "router" else "02:00:00:00:00:02"
            # Neighbours are given, not asked for: over a slow path the first packets would wait for ARP.
            self.ip(name, [f"link set {device} address {own} up",
                           f"address add {addresses[0]}/30 dev {device}",
                           f"address add {addresses[1]}/64 dev {device} nodad",
                           *(f"neigh add {other} lladdr {peer} dev {device} nud permanent" for other in others)])  # fmt: skip
        self.ip(host.name, [f"route add default via {address}" for address in gateway])
        self.ip("router", [f"route add {network} via {host.v6 if ':' in network else host.v4}" for network in host.network])

    def load_rules(self, host):
        if host.rules_at == "router":
            chain = "type filter hook forward priority 0"
            matches = [f"ip daddr {host.v4} ", f"ip6 daddr {host.v6} "]
        else:
            chain = "type filter hook input priority 0"
            matches = ["meta nfproto ipv4 ", "meta nfproto ipv6 "]
        lines = ["icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"]
        for family, match in zip((truth.V4, truth.V6), matches):
            for protocol, technique in [("tcp", "syn"), ("udp", "udp"), ("sctp", "sctpinit")]:
                ports = host.special_ports(technique)
                rules = {port: truth.RULES[host.behaviour(port, family, technique)] for port in ports}
                lines += [f"{match}{protocol} dport {port} {rule or 'accept'}" for port, rule in rules.items()]
            if rule := truth.RULES[host.behaviour(REST, family)]:
                lines.append(match + rule)
        tables = nft_table("inet", chain, lines)
        if host.reset_limit:
            limit = f"tcp flags & rst == rst limit rate over {host.reset_limit}/second burst 5 packets drop"
            tables += nft_table("inet", "type filter hook output priority 0", [limit], "resets")
        if host.loss_percent:
            loss = f"numgen random mod 100 < {host.loss_percent} drop"
            for hook in ("ingress", "egress"):
                tables += nft_table("netdev", f'type filter hook {hook} device "eth0" priority 0', [loss], hook)
        with self.inside("router" if host.rules_at == "router" else host.name):
            run(["nft", "-f", "-"], tables)

    # ----- what runs there -----------------------------------------------------------------------------------------

    def spawn(self, name, command, environment=None):
        """Starts a program in the caller's namespace. Its output goes to a log; the first word it prints is 'ready'."""
        with open(self.state / f"{name}.log", "wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                       start_new_session=True, env=environment)  # fmt: skip
        self.processes.append(process)
        return process

    def start(self, host):
        """Starts what the host needs; returns the processes that will say they are ready."""
        started = []
        with self.inside(host.name):
            if host.kind == "mangler":
                behaviours = {name: {port: [host.behaviour(port, f, technique) for f in (truth.V4, truth.V6)]
                                     for port in host.special_ports(technique)}
                              for name, technique in [("tcp", "syn"), ("udp", "udp")]}  # fmt: skip
                (self.state / "mangler.json").write_text(json.dumps({"v4": host.v4, "v6": host.v6, **behaviours}))
                started.append(self.spawn(host.name, [sys.executable, HERE / "mangler.py", self.state / "mangler.json"]))
            if host.daemons:
                daemons.start(self, host)
            if host.sctp and HAS_SCTP:
                ports = map(str, host.open_sctp_ports())
                started.append(self.spawn(host.name, [SCTP_LISTENER, *ports]))
            if host.path:
                path = [host.path.delay_ms * 1000, host.path.jitter_ms * 1000, host.path.loss_percent]
                command = [BUILD / "tests/lab/relay", self.namespace("router"), host.name, self.namespace(host.name), "eth0"]
                started.append(self.spawn(host.name, [*command, *(str(int(number)) for number in path)]))
        return started

    def start_listeners(self):
        """One process listens at the open ports of all hosts without daemons."""
        hosts = [host for host in self.machines() if host.kind == "linux" and not host.daemons]
        ports = {str(self.namespace(host.name)): {"tcp": host.open_ports(), "echo": host.udp_ports("open"),
                                                  "quiet": host.udp_ports("quiet")} for host in hosts}  # fmt: skip
        (self.state / "listen.json").write_text(json.dumps(ports))
        with self.inside("switch"):
            return self.spawn("listen", [sys.executable, HERE / "listen.py", self.state / "listen.json"])

    def start_zombie(self):
        """A stack in user space, on a TAP device of the switch."""
        if not HAS_ZOMBIE:
            return []
        self.ip("switch", ["tuntap add dev zombie mode tap", "link set zombie master switch up"])
        with self.inside("switch"):
            return [self.spawn("zombie", [ZOMBIE, "zombie", truth.ZOMBIE, "255.255.255.0", truth.ROUTER[0]])]

    def wait(self, processes):
        """Until all are ready, all links are up, and the daemons take connections."""
        for process in processes:
            if process.stdout.readline().strip() != b"ready":
                raise LabError(f"{process.args[0]} did not start; its log is in {self.state}")
        self.until("links", lambda: all(self.links_are_up(host.name) for host in self.machines()))
        for host in self.machines():
            if host.daemons:
                self.until(host.name, lambda host=host: self.listening(host, "tcp", "0A") >= set(host.open_ports()))
                self.until(host.name, lambda host=host: self.listening(host, "udp", "07") >= set(host.udp_ports("open")))

    def until(self, what, condition):
        deadline = time.monotonic() + READY_S
        while not condition():
            if time.monotonic() > deadline:
                raise LabError(f"{what}: not ready after {READY_S} s; logs are in {self.state}")
            time.sleep(0.02)

    def links_are_up(self, name):
        with self.inside(name):
            links = json.loads(run(["ip", "-json", "link", "show"]))
        return all(link["operstate"] in ("UP", "UNKNOWN") for link in links)

    def listening(self, host, protocol, state):
        """The ports at which sockets in this state (of include/net/tcp_states.h) are bound, over IPv4 and over IPv6 but for
        those of FTP servers, some of which speak only one of them."""
        found = []
        for name in (protocol, protocol + "6"):
            with self.inside(host.name):
                lines = [line.split() for line in Path("/proc/self/net", name).read_text().splitlines()]
            found.append({int(fields[1].rsplit(":", 1)[1], 16) for fields in lines if fields[3] == state})
        return set.union(*found) if host is truth.FTP else set.intersection(*found)

    # ----- down ----------------------------------------------------------------------------------------------------

    def down(self):
        """Takes down whatever there is of this network. Nothing there is fine."""
        if os.geteuid() != 0:
            raise LabError("the practice network needs root, for network namespaces")
        deadline = time.monotonic() + READY_S
        while inhabitants := self.inhabitants():
            for pid in inhabitants:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise LabError(f"cannot end process {inhabitants[0]} in network {self.name}")
            time.sleep(0.01)
        for process in self.processes:
            process.communicate()
        self.processes.clear()
        for path in self.namespaces():
            run(["ip", "netns", "delete", path.name])
        shutil.rmtree(self.state, ignore_errors=True)

    def abandon(self):
        """Takes the network down from a signal handler: in a process of its own, for this one may be in the middle of
        anything."""
        self.leave()
        subprocess.run([sys.executable, HERE / "lab", "down"], env={**os.environ, "LAB": self.name})

    def inhabitants(self):
        """Processes in our namespaces. Nobody else makes namespaces of these names, so they are ours."""
        ours = {path.stat().st_ino for path in self.namespaces()}
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and (entry / "ns/net").stat().st_ino in ours and not is_zombie(entry):
                    found.append(int(entry.name))
        return [pid for pid in found if pid != os.getpid()]

    # ----- use -----------------------------------------------------------------------------------------------------

    def __enter__(self):
        self.up()
        return self

    def __exit__(self, *_):
        self.down()


def is_zombie(entry):
    return (entry / "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"


def nft_table(family, chain, lines, name="lab"):
    rules = "\n".join(lines)
    return f"table {family} {name} {{\nchain {name} {{\n{chain};\n{rules}\n}}\n}}\n"
