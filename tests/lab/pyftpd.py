#!/usr/bin/env python3
"""pyftpd.py PORT FOLDER: pyftpdlib as an FTP server that connects wherever it is told, as soon as it is told (at PORT, not
at LIST). Prints 'ready' when it listens."""

import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import ActiveDTP, FTPHandler
from pyftpdlib.servers import FTPServer


class Connecting(ActiveDTP):
    timeout = 5  # seconds, after which it says that the target is silent


class Handler(FTPHandler):
    active_dtp = Connecting
    permit_foreign_addresses = True
    permit_privileged_ports = True
    banner = "practice network"


def main(port, folder):
    Handler.authorizer = DummyAuthorizer()
    Handler.authorizer.add_anonymous(folder)
    server = FTPServer(("0.0.0.0", int(port)), Handler)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
