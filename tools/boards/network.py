# SPDX-License-Identifier: Apache-2.0
"""The virtual network that emulated boards share, as one radio channel: whoever sends is heard by all others.

Boards are QEMU processes with `-netdev dgram` over unix sockets; Network.netdev(name) gives the
argument. Besides carrying frames it answers DHCP, keeps a capture, is a host itself (Host), and
does what tests need of a network: it loses, holds back, changes and repeats frames.
"""
import ipaddress
import os
import random
import select
import socket
import struct
import threading
import time
from pathlib import Path

BROADCAST = b"\xff" * 6
ROUTER_MAC = bytes.fromhex("02006c000001")
ETHERTYPE_IP, ETHERTYPE_ARP, ETHERTYPE_AIR = 0x0800, 0x0806, 0x88B5
FRAME_MAX = 65536


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp_frame(source, destination, payload, source_mac=ROUTER_MAC, destination_mac=BROADCAST):
    """An Ethernet frame; source and destination are (address, port)."""
    source_ip, destination_ip = (ipaddress.ip_address(a[0]).packed for a in (source, destination))
    udp = struct.pack("!HHHH", source[1], destination[1], 8 + len(payload), 0) + payload
    pseudo = source_ip + destination_ip + struct.pack("!BBH", 0, 17, len(udp))
    udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp) or 0xFFFF) + udp[8:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), random.getrandbits(16), 0, 64, 17, 0)
    head += source_ip + destination_ip
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return destination_mac + source_mac + struct.pack("!H", ETHERTYPE_IP) + head + udp


def parse_udp(frame):
    """((address, port), (address, port), payload) of a frame, or None."""
    if len(frame) < 42 or frame[12:14] != b"\x08\x00" or frame[14] >> 4 != 4 or frame[23] != 17:
        return None
    header = 14 + (frame[14] & 15) * 4
    source_port, destination_port, length = struct.unpack("!HHH", frame[header:header + 6])
    source, destination = (str(ipaddress.ip_address(frame[at:at + 4])) for at in (26, 30))
    return (source, source_port), (destination, destination_port), frame[header + 8:header + length]


class Pcap:
    """A capture in the classic format, Ethernet."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, FRAME_MAX, 1))

    def write(self, frame):
        now = time.time()
        self.file.write(struct.pack("<IIII", int(now), int(now % 1 * 1e6), len(frame), len(frame)) + frame)
        self.file.flush()

    def close(self):
        self.file.close()


class Dhcp:
    """Hands out addresses of a network in the order they are asked for [RFC2131]."""

    SERVER_PORT, CLIENT_PORT = 67, 68
    DISCOVER, OFFER, REQUEST, ACK, NAK = 1, 2, 3, 5, 6

    def __init__(self, subnet, lease_s=3600):
        self.hosts = subnet.hosts()
        self.server = str(next(self.hosts))
        self.subnet = subnet
        self.lease_s = lease_s
        self.leases = {}

    def address_of(self, mac):
        if mac not in self.leases:
            self.leases[mac] = str(next(self.hosts))
        return self.leases[mac]

    def answer(self, payload):
        """The frame that answers a client's message, or None."""
        if len(payload) < 240 or payload[0] != 1 or payload[236:240] != b"\x63\x82\x53\x63":
            return None
        options = self.parse_options(payload[240:])
        mac = payload[28:34]
        kind = options.get(53, b"\0")[0]
        if kind not in (self.DISCOVER, self.REQUEST):
            return None
        if kind == self.REQUEST and options.get(54, ipaddress.ip_address(self.server).packed) != ipaddress.ip_address(
                self.server).packed:
            return None
        address = self.address_of(mac)
        wanted = options.get(50, payload[12:16])
        reply = self.OFFER if kind == self.DISCOVER else self.ACK
        if kind == self.REQUEST and wanted != ipaddress.ip_address(address).packed:
            reply = self.NAK
        body = bytes([2, 1, 6, 0]) + payload[4:8] + bytes(8)
        body += ipaddress.ip_address("0.0.0.0" if reply == self.NAK else address).packed
        body += ipaddress.ip_address(self.server).packed + bytes(4) + payload[28:44] + bytes(192) + b"\x63\x82\x53\x63"
        body += bytes([53, 1, reply, 54, 4]) + ipaddress.ip_address(self.server).packed
        if reply != self.NAK:
            body += bytes([51, 4]) + struct.pack("!I", self.lease_s)
            body += bytes([1, 4]) + self.subnet.netmask.packed
            body += bytes([3, 4]) + ipaddress.ip_address(self.server).packed
        return udp_frame((self.server, self.SERVER_PORT), ("255.255.255.255", self.CLIENT_PORT), body + b"\xff",
                         destination_mac=mac)

    @staticmethod
    def parse_options(data):
        options = {}
        while data and data[0] != 255:
            if data[0] == 0:
                data = data[1:]
                continue
            if len(data) < 2:
                break
            options[data[0]] = data[2:2 + data[1]]
            data = data[2 + data[1]:]
        return options


class Host:
    """A UDP socket on the virtual network, with an address of its own."""

    def __init__(self, network, address, port):
        self.network, self.address, self.port = network, address, port
        self.mac = b"\x02\x00\x6c\x01" + ipaddress.ip_address(address).packed[2:]
        self.received = []
        self.arrived = threading.Condition()
        network.hosts.append(self)

    def send(self, destination, payload):
        mac = self.network.neighbours.get(destination[0], BROADCAST)
        self.network.inject(udp_frame((self.address, self.port), destination, payload, self.mac, mac))

    def take(self, source, payload):
        with self.arrived:
            self.received.append((source, payload))
            self.arrived.notify_all()

    def receive(self, timeout_s=5):
        """The oldest ((address, port), payload); None after the timeout."""
        with self.arrived:
            if not self.arrived.wait_for(lambda: self.received, timeout_s):
                return None
            return self.received.pop(0)

    def ask(self, destination, payload, timeout_s=5):
        self.send(destination, payload)
        answer = self.receive(timeout_s)
        return answer and answer[1]


class Network:
    """Carries frames from start() to stop(). folder: for its sockets and the capture network.pcap."""

    def __init__(self, folder, subnet="10.7.0.0/24", dhcp=True, capture="network.pcap"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.dhcp = Dhcp(ipaddress.ip_network(subnet)) if dhcp else None
        self.pcap = Pcap(self.folder / capture) if capture else None
        self.ports = {}
        self.hosts = []
        self.neighbours = {}  # address -> MAC, as seen in ARP and IP
        self.deaf = set()  # names of boards whose cable is out
        self.on_frame = None  # on_frame(frame, name) -> the frames that go on; None: as it is
        self.seen = []  # all frames, for tests to look at
        self.stopping = False
        self.lock = threading.RLock()
        self.wake, self.woken = os.pipe()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def netdev(self, name):
        """QEMU's argument of a board's interface; the board may start before or after."""
        here, there = self.folder / f"{name}.net", self.folder / f"{name}.board"
        here.unlink(missing_ok=True)
        there.unlink(missing_ok=True)
        port = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        port.bind(str(here))
        port.setblocking(False)
        with self.lock:
            self.ports[name] = (port, str(there))
        os.write(self.woken, b"x")
        return f"dgram,local.type=unix,local.path={there},remote.type=unix,remote.path={here}"

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.stopping = True
        os.write(self.woken, b"x")
        self.thread.join()
        for port, _ in self.ports.values():
            port.close()
        if self.pcap:
            self.pcap.close()
        os.close(self.wake)
        os.close(self.woken)

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    def inject(self, frame, source=None):
        """Sends a frame as if from the board named source, or from a stranger."""
        with self.lock:
            frames = [frame]
            if self.on_frame and source is not None:
                changed = self.on_frame(frame, source)
                frames = [frame] if changed is None else changed
            for each in frames:
                self.deliver(each, source)

    def deliver(self, frame, source):
        self.seen.append(frame)
        if self.pcap:
            self.pcap.write(frame)
        for name, (port, there) in self.ports.items():
            if name != source and name not in self.deaf:
                try:
                    port.sendto(frame, there)
                except OSError:
                    pass  # the board is not there, or does not keep up: lost, as in the air

    def run(self):
        while not self.stopping:
            with self.lock:
                sockets = {port: name for name, (port, _) in self.ports.items()}
            for ready in select.select([self.wake, *sockets], [], [])[0]:
                if ready == self.wake:
                    os.read(self.wake, 64)
                    continue
                frame = ready.recv(FRAME_MAX)
                name = sockets[ready]
                if name not in self.deaf:
                    self.inject(frame, name)
                    self.serve(frame)

    def serve(self, frame):
        """What the network itself answers."""
        kind = struct.unpack("!H", frame[12:14])[0] if len(frame) >= 14 else 0
        if kind == ETHERTYPE_ARP and len(frame) >= 42:
            self.serve_arp(frame)
        packet = parse_udp(frame)
        if packet is None:
            return
        source, destination, payload = packet
        self.neighbours[source[0]] = frame[6:12]
        if destination[1] == Dhcp.SERVER_PORT and self.dhcp:
            answer = self.dhcp.answer(payload)
            if answer:
                self.inject(answer)
        for host in self.hosts:
            to_all = frame[:6] == BROADCAST
            if host.port == destination[1] and (host.address == destination[0] or to_all):
                host.take(source, payload)

    def serve_arp(self, frame):
        operation, sender_mac, sender, target = (struct.unpack("!H", frame[20:22])[0], frame[22:28], frame[28:32],
                                                 frame[38:42])
        self.neighbours[str(ipaddress.ip_address(sender))] = sender_mac
        for mac, address in [(h.mac, h.address) for h in self.hosts] + [(ROUTER_MAC, self.dhcp and self.dhcp.server)]:
            if operation == 1 and address and ipaddress.ip_address(address).packed == target and sender != target:
                self.inject(sender_mac + mac + struct.pack("!HHHBBH", ETHERTYPE_ARP, 1, ETHERTYPE_IP, 6, 4, 2) + mac +
                            target + sender_mac + sender)
