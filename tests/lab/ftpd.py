#!/usr/bin/env python3
"""ftpd.py allow|forbid PORT: the least FTP server that a bounce scan needs, over IPv4 and IPv6. It connects wherever PORT
or EPRT says, and tells why it could not; or it forbids that, as nearly all servers do. Prints 'ready' when it listens."""

import os
import socket
import socketserver
import sys

CONNECT_TIMEOUT_S = 5


def port_argument(text):
    """RFC 959 section 4.1.2"""
    numbers = [int(word) for word in text.split(",")]
    return ".".join(map(str, numbers[:4])), numbers[4] * 256 + numbers[5]


def eprt_argument(text):
    """RFC 2428 section 2"""
    _, _, address, port, _ = text.split(text[0])
    return address, int(port)


class Session(socketserver.StreamRequestHandler):
    target = None

    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self):
        try:
            self.say("220 practice network")
            for line in self.rfile:
                self.obey(*line.decode(errors="replace").strip().partition(" ")[::2])
        except ConnectionError:
            pass

    def obey(self, verb, argument):
        match verb.upper():
            case "USER":
                self.say("331 send a password")
            case "PASS":
                self.say("230 logged in")
            case "PORT" | "EPRT" if self.server.forbids:
                self.say("500 Illegal PORT command.")
            case "PORT":
                self.target = port_argument(argument)
                self.say("200 PORT command successful")
            case "EPRT":
                self.target = eprt_argument(argument)
                self.say("200 EPRT command successful")
            case "LIST" | "NLST":
                self.list()
            case "QUIT":
                self.say("221 goodbye")
            case _:
                self.say("502 no such command")

    def list(self):
        try:
            connection = socket.create_connection(self.target, CONNECT_TIMEOUT_S)
        except OSError as error:
            reason = "Connection timed out" if isinstance(error, TimeoutError) else os.strerror(error.errno)
            self.say(f"425 cannot build the data connection: {reason}")
            return
        self.say("150 here comes the directory listing")
        connection.close()
        self.say("226 directory sent")


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64
    forbids = False


def main(manner, port):
    with Server(("::", int(port)), Session) as server:
        server.forbids = manner == "forbid"
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
