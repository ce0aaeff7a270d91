#!/usr/bin/env python3
"""listen.py FILE: listens at many ports in many network namespaces, IPv4 and IPv6. At a TCP port every connection is
closed as soon as it is there; at an echo port every datagram is sent back (RFC 862); at a quiet one none is. FILE holds
JSON: {path of a namespace: {"tcp": [port, ...], "echo": [...], "quiet": [...]}, ...}. Prints 'ready' when all are open."""

import ctypes
import json
import resource
import selectors
import socket
import sys

CLONE_NEWNET = 0x40000000
BACKLOG = 4096


def bound(kind, port):
    sock = socket.socket(socket.AF_INET6, kind)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("::", port))
    sock.setblocking(False)
    return sock


def listen(port):
    sock = bound(socket.SOCK_STREAM, port)
    sock.listen(BACKLOG)
    return sock


def accept_all(sock):
    while True:
        try:
            sock.accept()[0].close()
        except OSError:
            return


def echo_all(sock):
    while True:
        try:
            sock.sendto(*sock.recvfrom(65536))
        except OSError:
            return


def main():
    with open(sys.argv[1]) as file:
        ports_by_namespace = json.load(file)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    libc = ctypes.CDLL(None, use_errno=True)
    selector = selectors.DefaultSelector()
    quiet = []  # kept open, and never read
    for namespace, ports in ports_by_namespace.items():
        with open(namespace, "rb") as file:
            if libc.setns(file.fileno(), CLONE_NEWNET):
                sys.exit(f"cannot enter {namespace}")
        for port in ports["tcp"]:
            selector.register(listen(port), selectors.EVENT_READ, accept_all)
        for port in ports["echo"]:
            selector.register(bound(socket.SOCK_DGRAM, port), selectors.EVENT_READ, echo_all)
        quiet += [bound(socket.SOCK_DGRAM, port) for port in ports["quiet"]]
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            key.data(key.fileobj)


if __name__ == "__main__":
    main()
