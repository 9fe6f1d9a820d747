# SPDX-License-Identifier: Apache-2.0
"""Network namespaces of a test's own: hosts, and the wires between them. Nothing of them outlives the test, and none of
this machine's own network takes part."""
import os
import shutil
import subprocess
import sys

INSIDE = "LARCH_TEST_INSIDE"


def enter():
    """Runs this program anew as root of its own user, network and mount namespaces. Returns inside of them, or with the
    reason why a system does not allow that."""
    if os.environ.get(INSIDE):
        return None
    if not (shutil.which("unshare") and shutil.which("ip") and shutil.which("nsenter")):
        return "unshare, nsenter and ip are not installed"
    own = ["unshare", "-rnm", "--"]
    if subprocess.run([*own, "ip", "link", "add", "larch0", "type", "veth", "peer", "name", "larch1"],
                      capture_output=True, check=False).returncode != 0:
        return "this system allows no network namespaces"
    sys.exit(subprocess.run([*own, sys.executable, *sys.argv], env=dict(os.environ, **{INSIDE: "1"}),
                            check=False).returncode)


class Host:
    """A network namespace; its loopback is up."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "--", "sh", "-c", "echo && exec sleep 600"],
                                       stdout=subprocess.PIPE)
        self.holder.stdout.readline()  # it has its namespace now
        self.prefix = ["nsenter", "-n", "-t", str(self.holder.pid), "--"]
        self.ip("link", "set", "lo", "up")
        self.run("sh", "-c", "echo 0 > /proc/sys/net/ipv4/icmp_ratelimit")

    def run(self, *command, check=True, **more):
        return subprocess.run([*self.prefix, *command], check=check, capture_output=True, text=True, timeout=60, **more)

    def ip(self, *arguments):
        self.run("ip", *arguments)

    def forward(self):
        self.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


def join(a, a_address, b, b_address, mtu=1500):
    """A wire between two hosts, named after the other end's address; each may be None: no address."""
    names = [f"to{os.urandom(4).hex()}" for _ in range(2)]
    subprocess.run(["ip", "link", "add", names[0], "netns", str(a.holder.pid), "type", "veth", "peer", "name", names[1],
                    "netns", str(b.holder.pid)], check=True)
    for host, name, address in ((a, names[0], a_address), (b, names[1], b_address)):
        host.run("sh", "-c", f"echo 0 > /proc/sys/net/ipv6/conf/{name}/accept_dad")
        host.ip("link", "set", name, "mtu", str(mtu), "up")
        if address is not None:
            host.ip("address", "add", address, "dev", name, *(["nodad"] if ":" in address else []))
    return names
