# SPDX-License-Identifier: Apache-2.0
"""Two network namespaces joined by a cable: the gateway's, in which the test itself runs, and that of everybody else.

The gateway has an address in each of PLACES networks, so that a sender's own address follows from the one that it
sends to. Whatever the gateway answers to a forged address goes over the cable and ends there.
"""
import contextlib
import ctypes
import os
import re
import subprocess
import sys

PLACES = 12
HERE, THERE = "larch-gw", "larch-all"
INSIDE = "LARCH_TEST_HAS_NETWORK"
CLONE_NEWNET = 0x40000000
ETHERNET_IP_UDP = 14 + 20 + 8
SKIPPED = 77


def enter(name):
    """Runs this program again in a network namespace of its own; returns the exit code, 77 where there is none."""
    for unshare in (["unshare", "-n"], ["unshare", "-U", "-r", "-n"]):
        try:
            probe = [*unshare, "sh", "-c", f"ip link add {HERE} type veth peer name {THERE} && unshare -n true"]
            if subprocess.run(probe, stderr=subprocess.DEVNULL).returncode == 0:
                return subprocess.run([*unshare, sys.executable, *sys.argv],
                                      env={**os.environ, INSIDE: "1"}).returncode
        except FileNotFoundError:
            break
    print(f"skipped: {name}: network namespaces cannot be made here")
    return SKIPPED


def run(*words):
    subprocess.run(words, check=True)


class Network:
    def __init__(self):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.keeper = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 1000"], stdout=subprocess.PIPE)
        self.keeper.stdout.readline()
        self.inside = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.outside_fd = os.open(f"/proc/{self.keeper.pid}/ns/net", os.O_RDONLY)
        run("ip", "link", "add", HERE, "type", "veth", "peer", "name", THERE, "netns", str(self.keeper.pid))
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "set", HERE, "up")
        for place in range(1, PLACES + 1):
            run("ip", "address", "add", f"{gateway_at(place)}/24", "dev", HERE)
        with self.outside():
            run("ip", "link", "set", "lo", "up")
            run("ip", "link", "set", THERE, "up")
            for place in range(1, PLACES + 1):
                run("ip", "address", "add", f"{sender_at(place)}/24", "dev", THERE)
            self.their_mac = self.mac_of(THERE)
        self.our_mac = self.mac_of(HERE)
        run("ip", "route", "add", "default", "via", sender_at(1))

    @staticmethod
    def mac_of(name):
        # Not from /sys, which shows the namespace that it was mounted in.
        shown = subprocess.run(["ip", "link", "show", name], stdout=subprocess.PIPE, check=True, text=True).stdout
        return re.search(r"link/ether (\S+)", shown)[1]

    def enter_outside(self):
        """For good; of this thread and what it starts."""
        if self.libc.setns(self.outside_fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    @contextlib.contextmanager
    def outside(self):
        self.enter_outside()
        try:
            yield
        finally:
            if self.libc.setns(self.inside, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def move_sender(self, place, host):
        """The sender of this place is another host from now on, which has to ask for the gateway's address."""
        with self.outside():
            run("ip", "address", "replace", f"10.77.{place}.{host}/24", "dev", THERE)
            run("ip", "route", "replace", f"{gateway_at(place)}/32", "dev", THERE, "src", f"10.77.{place}.{host}")
            run("ip", "neighbour", "flush", "to", gateway_at(place), "dev", THERE)

    def answer_for(self, hosts):
        """The forger's host claims these addresses of each place, as any host of a network can."""
        for place in range(1, PLACES + 1):
            for host in hosts:
                run("ip", "neighbour", "replace", f"10.77.{place}.{host}", "lladdr", self.their_mac, "dev", HERE)

    def close(self):
        self.keeper.kill()
        self.keeper.wait()
        self.keeper.stdout.close()
        os.close(self.inside)
        os.close(self.outside_fd)


def gateway_at(place):
    return f"10.77.{place}.1"


def sender_at(place):
    return f"10.77.{place}.2"


class Counters:
    """What went over the cable since, as payloads of UDP; and what the gateway's socket took or had no room for."""

    def __init__(self):
        self.before = self.read()

    @staticmethod
    def read():
        with open("/proc/self/net/dev") as f:
            words = re.search(rf"{HERE}:\s*(.*)", f.read())[1].split()
        with open("/proc/self/net/snmp") as f:
            names, values = (line.split()[1:] for line in f if line.startswith("Udp:"))
        udp = dict(zip(names, map(int, values)))
        bytes_in, packets_in, bytes_out, packets_out = (int(words[i]) for i in (0, 1, 8, 9))
        return {"in": bytes_in - packets_in * ETHERNET_IP_UDP, "out": bytes_out - packets_out * ETHERNET_IP_UDP,
                "taken": udp["InDatagrams"], "overrun": udp["RcvbufErrors"]}

    def since(self):
        return {name: value - self.before[name] for name, value in self.read().items()}
