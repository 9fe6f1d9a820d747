# SPDX-License-Identifier: Apache-2.0
"""Starts and asks the peers of the interop tests; leaves no process behind."""
import contextlib
import os
import socket
import subprocess
import time

LARGE = bytes(b"0123456789abcdefghijklmnopqrstuvwxyz\n"[i % 37] for i in range(5000))
WAIT_S = 20


def body(size):
    """Text in which no two blocks are the same."""
    return "".join(f"{i:07d}." for i in range(size // 8 + 1))[:size]


def free_port():
    """A UDP port that nobody holds now, for servers that cannot choose one themselves."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(*command):
    """What a program prints, as bytes, and its exit code."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=WAIT_S, check=False)
    return done.stdout, done.stderr, done.returncode


@contextlib.contextmanager
def running(*command):
    """A program in the background, ended on the way out."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_bound(port):
    """Waits until some program has opened a UDP port."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        for name in ("/proc/net/udp", "/proc/net/udp6"):
            if os.path.exists(name):
                with open(name, encoding="ascii") as table:
                    if any(line.split()[1].endswith(f":{port:04X}") for line in list(table)[1:]):
                        return
        time.sleep(0.01)
    raise AssertionError(f"nobody opened port {port}")


@contextlib.contextmanager
def our_server(address="127.0.0.1:0"):
    """Our server on a port of its choice; gives its URI."""
    with running(os.environ["COAP_PEER"], "serve", address) as process:
        line = process.stdout.readline().decode().split()
        if len(line) != 2 or line[0] != "listening":
            raise AssertionError("our server did not start")
        yield "coap://" + line[1]


def ask(method, uri, payload=None, non=False):
    """Our client: the code ("2.05"), the body, and how many requests it took."""
    command = [os.environ["COAP_PEER"]] + (["-N"] if non else []) + [method, uri] + ([payload] if payload is not None else [])
    out, err, code = run(*command)
    if code != 0:
        raise AssertionError(f"{' '.join(command)[:200]}: {err.decode()}")
    first, _, rest = out.partition(b"\n")
    return first[:4].decode(), rest, int(err.split()[0])
