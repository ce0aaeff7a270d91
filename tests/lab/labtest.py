"""What the tests in the practice network share: each test program raises a network of its own, and takes it down."""

import os
import signal
import unittest

import scan
import truth
from network import LabError, Network

NOT_POSSIBLE = 77
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# The hosts that any scan must get completely right at its ordinary settings.
ORDINARY = [truth.BY_NAME[name] for name in ("linux", "daemons", "shut", "mute", "odd", "stateful", "absent", "far",
                                             "guarded", "slow", "silent", "barred")]  # fmt: skip

# Those that treat what belongs to no connection in a way of their own.
STACKS = [truth.BY_NAME[name] for name in ("linux", "odd", "stateful", "far", "guarded")]


def take_down_on_signals(network):
    """Whatever ends this program before its time, the network goes with it."""

    def stop(number, _):
        for other in STOPPING:
            signal.signal(other, signal.SIG_IGN)
        network.abandon()
        os._exit(128 + number)

    for number in STOPPING:
        signal.signal(number, stop)


class LabTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.network = Network(f"pt{os.getpid()}")
        take_down_on_signals(cls.network)
        cls.addClassCleanup(cls.network.down)
        cls.network.up()


class PortolanTest(LabTest):
    """Tests that compare what Portolan reports with the truth."""

    def portolan(self, *options, timeout_s=scan.TIMEOUT_S, status=0):
        """Runs a scan and reads its reports, which must say the same."""
        xml, jsonl = self.network.state / "report.xml", self.network.state / "report.jsonl"
        command = [scan.PORTOLAN, *options, "-oX", xml, "-oJ", jsonl]
        found_status, out, err = scan.run(self.network, command, timeout_s)
        self.assertEqual(found_status, status, f"{' '.join(map(str, command))}\n{out}\n{err}")
        from_xml, from_json = scan.read_xml(xml.read_text()), scan.read_json(jsonl.read_text())
        up = {address: found for address, found in from_json.hosts.items() if found[0] == "up"}
        self.assertEqual(from_xml.hosts, up, "XML leaves hosts that are down out")
        differing = [key for key in from_xml.ports | from_json.ports if from_xml.ports.get(key) != from_json.ports.get(key)]
        for key in differing[:10]:
            print(key, "XML:", from_xml.ports.get(key), "JSON:", from_json.ports.get(key))
        self.assertFalse(differing, "XML and JSON differ")
        return from_json

    def assert_true(self, report, technique, family, hosts, ports):
        found = list(scan.differences(report, technique, family, hosts, ports))
        self.assertFalse(found, scan.describe(found))

    def check(self, technique, family, hosts, ports, *options, timeout_s=scan.TIMEOUT_S):
        """A scan of these ports of these hosts finds the truth."""
        asked = scan.options(technique, family, hosts, ports)
        report = self.portolan(*options, *asked, timeout_s=timeout_s)
        self.assert_true(report, technique, family, hosts, ports)
        return report


def main():
    """Runs the tests of the calling program. Exit status 77: they cannot run here."""
    if os.geteuid() != 0:
        print("the practice network needs root, for network namespaces")
        return NOT_POSSIBLE
    try:
        program = unittest.main(exit=False, verbosity=2)
    except LabError as error:
        print(error)
        return 1
    return 0 if program.result.wasSuccessful() else 1
