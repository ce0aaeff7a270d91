#!/usr/bin/env python3
"""Real servers for the practice network: Debian's nginx and OpenSSH, dnsmasq (DNS), Net-SNMP, chrony (NTP), tftpd-hpa,
vsftpd and pyftpdlib, unpacked under build/lab and never installed. They run as nobody, inside a namespace of the network, with their own
configuration.

    daemons.py DIRECTORY            download and unpack them there, unless they are there already
    daemons.py --check DIRECTORY    only say by the exit status whether they are"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

PACKAGES = ["nginx", "openssh-server", "openssh-client", "dnsmasq-base", "snmpd", "chrony", "tftpd-hpa", "vsftpd",
            "python3-pyftpdlib"]
HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TREE = ROOT / "build/lab/daemons"
NOBODY = 65534


def as_nobody(*capabilities):
    """Nobody may not walk the path to a clone in somebody's home directory; with one capability it may."""
    given = ",".join(f"+{name}" for name in ("dac_read_search", *capabilities))
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs",
            f"--inh-caps={given}", f"--ambient-caps={given}"]  # fmt: skip


class Server(NamedTuple):
    program: str  # in the tree
    arguments: str
    configuration: str = ""
    capabilities: tuple = ()  # that it needs only to give up its privileges
    environment: dict = {}


NGINX = """\
daemon off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {v4}:80;
        listen [{v6}]:80;
        return 200 "practice network\\n";
    }}
}}
"""
SSHD = """\
ListenAddress {v4}:22
ListenAddress [{v6}]:22
HostKey {folder}/key
PidFile none
UsePAM no
"""
DNSMASQ = """\
bind-interfaces
listen-address={v4}
listen-address={v6}
no-resolv
no-hosts
pid-file
user=
"""
SNMPD = """\
agentAddress udp:{v4}:161,udp6:[{v6}]:161
rocommunity public
rocommunity6 public
"""
CHRONYD = """\
allow
local stratum 3
cmdport 0
bindcmdaddress /
pidfile {folder}/pid
"""
# It connects to anybody, but to no port below 1024.
VSFTPD = """\
listen=YES
listen_ipv6=NO
listen_port=2123
background=NO
run_as_launching_user=YES
anonymous_enable=YES
ftp_username=nobody
anon_root={folder}
secure_chroot_dir={folder}
port_promiscuous=YES
connect_from_port_20=NO
connect_timeout=5
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
"""

# {folder} is a server's own, in which its configuration is; {here} that of this file.
SERVERS = {
    "nginx": Server("usr/sbin/nginx", "-p {folder} -e stderr -c {folder}/configuration", NGINX),
    "sshd": Server("usr/sbin/sshd", "-D -e -f {folder}/configuration", SSHD),
    "dnsmasq": Server("usr/sbin/dnsmasq", "-k -C {folder}/configuration --log-facility=-", DNSMASQ),
    # MIBS empty: none is looked for on this machine. -smux: nothing listens at TCP port 199.
    "snmpd": Server("usr/sbin/snmpd", "-f -Lo -C -c {folder}/configuration -I -smux", SNMPD,
                    environment={"SNMP_PERSISTENT_DIR": "{folder}", "MIBS": ""}),  # fmt: skip
    "chronyd": Server("usr/sbin/chronyd", "-d -x -U -u nobody -f {folder}/configuration", CHRONYD),
    "vsftpd": Server("usr/sbin/vsftpd", "{folder}/configuration", VSFTPD),
    "pyftpd": Server(sys.executable, "{here}/pyftpd.py 2124 {folder}",
                     environment={"PYTHONPATH": str(TREE / "usr/lib/python3/dist-packages")}),
    "ftpd": Server(sys.executable, "{here}/ftpd.py allow 2121"),
    "ftpd-forbids": Server(sys.executable, "{here}/ftpd.py forbid 2122"),
    "tftpd": Server("usr/sbin/in.tftpd", "-L -u nobody -a :69 {folder}", capabilities=("setuid", "setgid")),
}



def missing_libraries(package):
    """The packages that apt would install with this one: what it needs and this machine does not have. (Each for itself:
    some conflict with others when they are installed.)"""
    command = ["apt-get", "--simulate", "--no-install-recommends", "install", package]
    plan = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]


def is_there(tree):
    """Are they unpacked there, and all of them?"""
    contents = tree / "packages"
    return contents.exists() and contents.read_text().split() == PACKAGES


def fetch(tree):
    """Fills the directory, all or nothing."""
    if is_there(tree):
        return
    new = tree.with_name(tree.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    names = {*PACKAGES}.union(*map(missing_libraries, PACKAGES))
    options = ["--quiet=2", "--option=APT::Sandbox::User=root", "--option=Acquire::Retries=6"]
    download = ["apt-get", *options, "download", *sorted(names)]
    subprocess.run(download, check=True, cwd=new, stdout=subprocess.DEVNULL)
    for package in new.glob("*.deb"):
        subprocess.run(["dpkg", "--extract", package, new], check=True)
        package.unlink()
    (new / "packages").write_text("\n".join(PACKAGES))
    shutil.rmtree(tree, ignore_errors=True)
    new.rename(tree)


def environment():
    folders = {str(path.parent) for path in TREE.rglob("*.so*")}
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LD_LIBRARY_PATH": ":".join(sorted(folders))}


def start(network, host):
    """Starts the host's servers in the caller's namespace. They are ready when they listen."""
    fetch(TREE)
    base = environment()
    for name in host.daemons:
        server = SERVERS[name]
        folder = network.state / name
        folder.mkdir()
        (folder / "configuration").write_text(server.configuration.format(folder=folder, v4=host.v4, v6=host.v6) + extra(name))
        for path in (folder, folder / "configuration"):
            os.chown(path, NOBODY, NOBODY)
        if name == "sshd":
            keygen = [TREE / "usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"]
            subprocess.run([*as_nobody(), *keygen], check=True, env=base)
        own = {key: value.format(folder=folder) for key, value in server.environment.items()}
        arguments = server.arguments.format(folder=folder, here=HERE).split()
        network.spawn(name, [*as_nobody(*server.capabilities), TREE / server.program, *arguments], base | own)


def extra(name):
    """Newer OpenSSH is several programs that find each other by path."""
    helpers = {"SshdSessionPath": "sshd-session", "SshdAuthPath": "sshd-auth"} if name == "sshd" else {}
    paths = {option: TREE / "usr/lib/openssh" / helper for option, helper in helpers.items()}
    return "".join(f"{option} {path}\n" for option, path in paths.items() if path.exists())


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--check", directory]:
            sys.exit(not is_there(Path(directory)))
        case [directory]:
            fetch(Path(directory))
        case _:
            sys.exit(__doc__)
