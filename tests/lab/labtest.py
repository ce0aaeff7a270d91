"""What the tests in the practice network share: each test program raises a network of its own, and takes it down."""

import os
import signal
import unittest

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
