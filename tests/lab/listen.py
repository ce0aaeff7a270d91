#!/usr/bin/env python3
"""listen.py FILE: listens at many TCP ports in many network namespaces, IPv4 and IPv6, and closes every connection as
soon as it is there. FILE holds JSON: {path of a namespace: [port, ...], ...}. Prints 'ready' when all are open."""

import ctypes
import json
import resource
import selectors
import socket
import sys

CLONE_NEWNET = 0x40000000
BACKLOG = 4096


def listen(port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("::", port))
    sock.listen(BACKLOG)
    sock.setblocking(False)
    return sock


def accept_all(sock):
    while True:
        try:
            sock.accept()[0].close()
        except OSError:
            return


def main():
    with open(sys.argv[1]) as file:
        ports_by_namespace = json.load(file)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    libc = ctypes.CDLL(None, use_errno=True)
    selector = selectors.DefaultSelector()
    for namespace, ports in ports_by_namespace.items():
        with open(namespace, "rb") as file:
            if libc.setns(file.fileno(), CLONE_NEWNET):
                sys.exit(f"cannot enter {namespace}")
        for port in ports:
            selector.register(listen(port), selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            accept_all(key.fileobj)


if __name__ == "__main__":
    main()
