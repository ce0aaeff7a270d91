"""Runs a scanner in the practice network, reads what it reports, and compares that with the truth or with another's."""

import json
import os
import shutil
import signal
import subprocess
import xml.etree.ElementTree as ElementTree
from datetime import datetime, timedelta
from typing import NamedTuple, Optional

import truth
from network import BUILD
from truth import Verdict

PORTOLAN = BUILD / "portolan"
NOBODY = 65534
TIMEOUT_S = 120
SHOWN_DIFFERENCES = 40
NOT_TOLD = "not told"  # a folded port's source
TECHNIQUES = {"syn": "-sS", "connect": "-sT", "udp": "-sU", "null": "-sN", "fin": "-sF", "xmas": "-sX", "maimon": "-sM", "ack": "-sA",
              "window": "-sW", "ip-protocol": "-sO", "sctpinit": "-sY", "sctpcookieecho": "-sZ", "idle": f"-sI{truth.ZOMBIE}"}  # fmt: skip
TECHNIQUES |= {name: f"-b{truth.FTP.v4}:{server.port}" for name, server in truth.FTP_SERVERS.items()}

# Of what protocol the ports are that a technique scans.
PROTOCOLS = {"udp": "udp", "ip-protocol": "ip"} | dict.fromkeys(truth.SCTP, "sctp")


class Report(NamedTuple):
    hosts: dict  # address: (state, reason)
    ports: dict  # (address, protocol, port): Verdict, in the order of the report
    corrections: dict  # the same, for what came after its host was finished; from JSON
    summary: dict  # what the scanner counted; from JSON
    moments: dict  # (address, protocol, port): when it was found, as a part of the scan's time; from JSON


# ----- running -----------------------------------------------------------------------------------------------------


def command_as_user(network, command, capabilities=()):
    """The command as an ordinary user, with these capabilities and no others. The program is copied to where that user
    may read it."""
    copy = network.state / "bin" / os.path.basename(command[0])
    copy.parent.mkdir(exist_ok=True)
    shutil.copy(command[0], copy)
    given = ",".join(["-all", *(f"+{name}" for name in capabilities)])
    ids = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return ["setpriv", *ids, f"--inh-caps={given}", f"--ambient-caps={given}", f"--bounding-set={given}", copy, *command[1:]]


def start(network, command, output=subprocess.PIPE):
    """Starts a command where the scanner is."""
    with network.inside("scanner"):
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE, text=True)


def run(network, command, timeout_s=TIMEOUT_S):
    """Runs a command where the scanner is, to its end: (exit status, standard output, standard error)."""
    process = start(network, command)
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"{' '.join(map(str, command))}: still running after {timeout_s} s\n{err}") from None
    return process.returncode, out, err


# ----- reading -----------------------------------------------------------------------------------------------------


def number_ranges(text):
    """The numbers in "1,3-5"."""
    for item in text.split(","):
        first, _, last = item.partition("-")
        yield from range(int(first), int(last or first) + 1)


def read_xml(text):
    """A report in Nmap's XML, of any scanner that writes it."""
    hosts, ports = {}, {}
    for host in ElementTree.fromstring(text).iter("host"):
        address = next(a.get("addr") for a in host.iter("address") if a.get("addrtype") != "mac")
        status = host.find("status")
        hosts[address] = (status.get("state"), status.get("reason"))
        for extra in host.iter("extraports"):
            for reasons in extra.iter("extrareasons"):
                verdict = Verdict(extra.get("state"), reasons.get("reason"), NOT_TOLD)
                found = number_ranges(reasons.get("ports"))
                ports |= {(address, reasons.get("proto"), port): verdict for port in found}
        for port in host.iter("port"):
            state = port.find("state")
            verdict = Verdict(state.get("state"), state.get("reason"), state.get("reason_ip"))
            ports[address, port.get("protocol"), int(port.get("portid"))] = verdict
    return Report(hosts, ports, {}, {}, {})


def read_json(text):
    """Portolan's JSON lines."""
    hosts, ports, corrections, summary, times = {}, {}, {}, {}, {}
    for line in map(json.loads, text.splitlines()):
        match line["type"]:
            case "port" | "correction" as kind:
                verdict = Verdict(line["state"], line["reason"], line.get("reason_ip"))
                key = line["ip"], line["protocol"], line["port"]
                (ports if kind == "port" else corrections)[key] = verdict
                times[key] = time_of(line["timestamp"])
            case "host":
                hosts[line["ip"]] = (line["state"], line["reason"])
                for group in line["not_shown"]:
                    verdict = Verdict(group["state"], group["reason"], NOT_TOLD)
                    found = number_ranges(group["ports"])
                    ports |= {(line["ip"], group["protocol"], port): verdict for port in found}
            case "summary":
                summary = line
    began, took = time_of(summary["start"]), timedelta(microseconds=summary["elapsed_us"])
    return Report(hosts, ports, corrections, summary, {key: (time - began) / took for key, time in times.items()})


def time_of(text):
    return datetime.fromisoformat(text.removesuffix("Z"))


# ----- comparing ---------------------------------------------------------------------------------------------------


class Difference(NamedTuple):
    host: str
    address: str
    port: int
    behaviour: str
    expected: Verdict
    found: Optional[Verdict]

    def __str__(self):
        found = self.found and " ".join(map(str, filter(None, self.found)))
        expected = " ".join(filter(None, self.expected))
        return f"{self.host} {self.address} port {self.port} ({self.behaviour}): {found}, should be {expected}"


def agrees(found, expected):
    """A source that the report does not tell is not held against it."""
    if found is None or found[:2] != expected[:2]:
        return False
    return found.source in (expected.source, NOT_TOLD)


def differences(report, technique, family, hosts, ports):
    """Where the report, with its corrections, and the truth differ."""
    verdicts = report.ports | report.corrections
    for host in hosts:
        address = host.address(family)
        for port in ports:
            expected = host.truth(port, family, technique)
            found = verdicts.get((address, PROTOCOLS.get(technique, "tcp"), port))
            if not agrees(found, expected):
                yield Difference(host.name, address, port, host.behaviour(port, family, technique), expected, found)


def describe(found):
    """Differences in a few lines, for the message of a failed test."""
    shown = [str(difference) for difference in found[:SHOWN_DIFFERENCES]]
    more = len(found) - len(shown)
    return "\n".join(["", *shown, *([f"and {more} more"] if more > 0 else [])])


def port_list(ports):
    """The shortest way to write these ports for -p."""
    text, ports = [], sorted(ports)
    while ports:
        count = next((i for i in range(1, len(ports)) if ports[i] != ports[0] + i), len(ports))
        text.append(str(ports[0]) if count == 1 else f"{ports[0]}-{ports[count - 1]}")
        ports = ports[count:]
    return ",".join(text)


def options(technique, family, hosts, ports):
    """The options that any scanner with Nmap's spelling takes for this."""
    family_option = ["-6"] if family == truth.V6 else []
    return [TECHNIQUES[technique], "-n", "-p", port_list(ports), *family_option,
            *(host.address(family) for host in hosts)]  # fmt: skip
