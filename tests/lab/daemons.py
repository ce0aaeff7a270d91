#!/usr/bin/env python3
"""Real servers for the practice network: Debian's nginx and OpenSSH, unpacked under build/lab and never installed. They
run as nobody, inside a namespace of the network, with their own configuration.

    daemons.py DIRECTORY    download and unpack them there, unless they are there already"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = ["nginx", "openssh-server", "openssh-client"]
ROOT = Path(__file__).resolve().parent.parent.parent
TREE = ROOT / "build/lab/daemons"
NOBODY = 65534

# Nobody may not walk the path to a clone in somebody's home directory; with this one capability it may.
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs",
             "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]  # fmt: skip

NGINX = """\
daemon off;
pid {state}/nginx/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {state}/nginx/body;
    proxy_temp_path {state}/nginx/proxy;
    fastcgi_temp_path {state}/nginx/fastcgi;
    uwsgi_temp_path {state}/nginx/uwsgi;
    scgi_temp_path {state}/nginx/scgi;
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
HostKey {state}/sshd/key
PidFile none
UsePAM no
"""


def missing_libraries():
    """The packages that apt would install with ours: what they need and this machine does not have."""
    command = ["apt-get", "--simulate", "--no-install-recommends", "install", *PACKAGES]
    plan = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]


def fetch(tree):
    """Fills the directory, all or nothing."""
    if tree.exists():
        return
    new = tree.with_name(tree.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    names = sorted({*PACKAGES, *missing_libraries()})
    download = ["apt-get", "--quiet=2", "--option=APT::Sandbox::User=root", "download", *names]
    subprocess.run(download, check=True, cwd=new, stdout=subprocess.DEVNULL)
    for package in new.glob("*.deb"):
        subprocess.run(["dpkg", "--extract", package, new], check=True)
        package.unlink()
    new.rename(tree)


def environment():
    folders = {str(path.parent) for path in TREE.rglob("*.so*")}
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LD_LIBRARY_PATH": ":".join(sorted(folders))}


def start(network, host):
    """Starts the servers in the caller's namespace. They are ready when they listen."""
    fetch(TREE)
    for name, text in {"nginx": NGINX, "sshd": SSHD}.items():
        folder = network.state / name
        folder.mkdir()
        (folder / "configuration").write_text(text.format(state=network.state, v4=host.v4, v6=host.v6) + extra(name))
        os.chown(folder, NOBODY, NOBODY)
    keygen = ["-q", "-t", "ed25519", "-N", "", "-f", network.state / "sshd/key"]
    subprocess.run([*AS_NOBODY, TREE / "usr/bin/ssh-keygen", *keygen], check=True, env=environment())
    network.spawn("nginx", [*AS_NOBODY, TREE / "usr/sbin/nginx", "-p", network.state / "nginx", "-e", "stderr",
                            "-c", network.state / "nginx/configuration"], environment())  # fmt: skip
    network.spawn("sshd", [*AS_NOBODY, TREE / "usr/sbin/sshd", "-D", "-e", "-f", network.state / "sshd/configuration"],
                  environment())  # fmt: skip


def extra(name):
    """Newer OpenSSH is several programs that find each other by path."""
    helpers = {"SshdSessionPath": "sshd-session", "SshdAuthPath": "sshd-auth"} if name == "sshd" else {}
    paths = {option: TREE / "usr/lib/openssh" / helper for option, helper in helpers.items()}
    return "".join(f"{option} {path}\n" for option, path in paths.items() if path.exists())


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
