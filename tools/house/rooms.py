# SPDX-License-Identifier: Apache-2.0
"""The table of the house: its rooms, what each holds, and which others each may use.

Data only. tools/check_layers.py holds the code and ARCHITECTURE.md to it, and
tools/house_svg.py takes the wings of its picture from it.
"""
from dataclasses import dataclass

PUBLIC = "public headers"  # in `uses`: every header of include/larch


@dataclass(frozen=True)
class Room:
    name: str
    files: tuple  # patterns below the root; a file belongs to the first room with one that fits
    uses: tuple  # rooms that it may use besides itself, by include and by symbol; "sniff/*" is every room below it
    holds: str
    wing: str = "library"
    headers: tuple = ()  # its public headers, by their names in include/larch
    # Each folder that fits is a room of its own and knows no other one.
    each: bool = False
    # A quoted include that is not in this tree belongs to the SDK of a board.
    sdk: bool = False


def library(name, uses, holds, headers=(), files=None):
    files = tuple(f"src/{pattern}" for pattern in files or (f"{name}/*",))
    return Room(name, files, uses, holds, headers=headers)


def outside(name, wing, uses, holds, files=(), **more):
    return Room(name, files or (f"{name}/*",), uses, holds, wing, **more)


SHARED_BY_COMMANDS = (PUBLIC, "text", "port/posix", "port/sim", "port/board", "firmware/drivers", "firmware/model", "bench",
                      "registry", "secrets", "sinks", "web", "sniff/*")
COMMAND = ("apps/larch/common", *SHARED_BY_COMMANDS)

# From the ground up: the library, what stands beside it on its public headers, the programs.
ROOMS = (
    library("base", (),
            "errors, bytes, reader, writer, peers, wipe, constant-time compare, CRC, trace", ("base.h", "config.h")),
    library("port interface", ("base",),
            "what a platform lends: files that survive power cuts", ("port.h",), ("port/*",)),
    library("pq", ("base",),
            "Keccak, ML-KEM and ML-DSA; `x86/` for AVX2 and AVX-512, `*_32.c` for 32-bit boards"),
    library("cbor", ("base",),
            "deterministic CBOR, read and written without recursion", ("cbor.h",)),
    library("coap message", ("base",),
            "one CoAP message, its options and its builder, without state",
            ("coap_message.h",), ("coap/message*", "coap/option*", "coap/builder*")),
    library("crypto", ("base", "pq", "port interface"),
            "the tables of KEMs and signatures; AEAD, hash, HMAC and HKDF from a provider; KMAC",
            ("kem.h", "sig.h", "crypto.h", "ecc.h")),
    library("store", ("base", "port interface"),
            "records, key rings and replay sets that survive power cuts", ("store.h",)),
    library("coap endpoint", ("base", "coap message"),
            "retransmission, duplicates, tokens, block-wise transfer",
            ("coap_endpoint.h", "coap_client.h", "coap_block.h", "coap_transfer.h"), ("coap/*",)),
    library("cose", ("base", "cbor", "crypto"),
            "COSE messages, structures and keys", ("cose.h",)),
    library("oscore", ("base", "cbor", "cose", "crypto", "coap message"),
            "OSCORE as a pure transform of messages", ("oscore.h",)),
    library("contexts", ("base", "crypto", "coap message", "cose", "oscore"),
            "sessions: their table, own numbers and limits", ("contexts.h",)),
    library("identity", ("base", "crypto"),
            "a gateway's identity document, and fingerprints as text", ("identity.h",)),
    library("lake", ("base", "cbor", "cose", "crypto", "identity"),
            "LAKE (EDHOC, RFC 9528), bytes in and bytes out, and enrolments", ("lake.h", "lake_observer.h", "enrolment.h")),
    library("direct", ("base", "cbor", "cose", "crypto", "identity"),
            "the one-shot exchange: bytes and cryptography", ("direct.h",)),
    library("node", ("base", "port interface", "contexts", "cbor", "coap message", "crypto", "store",
                     "coap endpoint", "cose", "oscore", "lake", "identity", "direct"),
            "the server and its services, gateway and sender, reachability",
            ("server.h", "service.h", "direct_service.h", "gateway.h", "sender.h", "device.h", "oscore_service.h",
             "oscore_client.h", "oscore_downlink.h", "lake_made.h", "lake_service.h", "lake_client.h", "trust.h", "reach.h")),

    outside("port/board", "ports", (PUBLIC,),
            "what a board lends the firmware, and what stands on that alone: files on NOR flash, records, frames"),
    outside("text", "ports", (PUBLIC,),
            "what the host prints: JSON, times, peers, untrusted bytes"),

    outside("port/posix", "ports", (PUBLIC, "text", "port/board"),
            "Linux: sockets, files, clock, the event loop that every program waits in"),
    outside("port/sim", "ports", (PUBLIC, "port/board"),
            "a network, clock, disk and flash chip that fail on demand"),
    outside("port/freertos_lwip", "ports", (PUBLIC, "port/board"),
            "kernel settings, lwIP without heap or sockets, UDP for the roles", sdk=True),
    # The layer below FreeRTOS reports its faults as that does, so a board may use that layer.
    outside("port/qemu_virt", "ports", (PUBLIC, "port/board", "port/freertos_lwip"),
            "QEMU's RISC-V board: start-up, interrupts, drivers", sdk=True),
    outside("port/mps2_an385", "ports", (PUBLIC, "port/board", "port/freertos_lwip"),
            "QEMU's Cortex-M3 board: start-up, interrupts, drivers", sdk=True),
    outside("port/bl602", "ports", (PUBLIC, "port/board", "port/freertos_lwip"),
            "the BL602 board: start-up, interrupts, drivers", sdk=True),

    # The drivers need no operating system: the tests and programs of the host use them too.
    outside("firmware/drivers", "firmware", (PUBLIC, "port/board"),
            "SSD1306, font, LED patterns, what a screen shows; without an operating system"),
    outside("firmware/model", "firmware", (PUBLIC, "port/board"),
            "for the host: a model of the display, and the reader of the channel that carries its bytes"),
    outside("firmware/mbedtls", "firmware", (PUBLIC, "port/board"),
            "Mbed TLS on a board: settings, pool, randomness", sdk=True),
    outside("firmware/check", "firmware", (PUBLIC, "port/board", "port/freertos_lwip"),
            "the image that tries a board's devices", sdk=True),
    outside("firmware/roles", "firmware", (PUBLIC, "port/*", "firmware/drivers"),
            "gateway, sender and sniffer boards; console", sdk=True),

    outside("sniff/capture", "sniffer", (PUBLIC,),
            "frames, as every source delivers them: files and interfaces"),
    outside("sniff/link", "sniffer", (PUBLIC, "sniff/capture"),
            "link layers, IP and its fragments"),
    outside("sniff/serial", "sniffer", (PUBLIC, "port/board", "sniff/capture"),
            "the serial line of a sniffer board"),
    outside("sniff/dissect", "sniffer", (PUBLIC, "text", "sniff/link"),
            "one file a protocol, behind one table"),
    outside("sniff/judge", "sniffer", (PUBLIC, "text", "sniff/link", "sniff/dissect"),
            "what a sequence of packets reveals: alerts"),
    outside("sniff/write", "sniffer", (PUBLIC, "text", "sniff/capture", "sniff/link", "sniff/dissect", "sniff/judge"),
            "text, JSON, pcapng"),

    outside("registry", "services", (PUBLIC,),
            "devices, credentials, contexts, outbox and readings in SQL"),
    outside("secrets", "services", (PUBLIC, "registry"),
            "the store key and its sources, backups, what is asked of a source of entropy"),
    outside("sinks", "services", (PUBLIC, "registry"),
            "where accepted messages go: standard output, MQTT, webhooks"),
    outside("web", "services", (PUBLIC, "registry"),
            "HTTP: metrics, health, interface, dashboard"),

    outside("bench/boards", "measuring", (PUBLIC,),
            "the image that measures a board"),
    outside("bench", "measuring", (PUBLIC,),
            "what one operation costs on this host"),

    outside("examples", "programs", (PUBLIC, "port/posix"),
            "the smallest gateway and device"),
    outside("apps/larch/common", "programs", SHARED_BY_COMMANDS,
            "what commands share: options, output, keys, fetching"),
    outside("apps/larch/sniff", "programs", COMMAND,
            "the sniffer's command"),
    outside("apps/larch/extcap", "programs", (*COMMAND, "apps/larch/sniff"),
            "the sniffer as Wireshark starts it"),
    outside("apps/larch/demo", "programs", (*COMMAND, "apps/larch/sniff"),
            "the program against itself, with attacks"),
    outside("apps/larch/COMMAND", "programs", COMMAND,
            "one folder a command; no command knows another", ("apps/larch/*/*",), each=True),
    outside("apps/larch", "programs", COMMAND,
            "the one program, `larch`, and its commands of one or two files"),
)

# (room, header) that the arrows alone would refuse, and why.
EXCEPTIONS = {
    ("pq", "larch/kem.h"): "the sizes of keys and ciphertexts, which pq fills",
    ("pq", "larch/sig.h"): "the sizes of keys and signatures, which pq fills",
    ("pq", "immintrin.h"): "vector instructions, in the files of src/pq/x86 alone",
    ("pq", "valgrind/memcheck.h"): "marks public bytes in the copy that the constant-time test builds",
    ("base", "valgrind/memcheck.h"): "the same, for other rooms",
    ("firmware/mbedtls", "psa/crypto.h"): "Mbed TLS asks the board for its random bytes",
    ("bench/boards", "pq/pq.h"): "measures what has no public form: one permutation, seeded operations",
}

# Headers of other people's libraries -> the files that alone may include them.
ALONE = {
    "psa/*": "src/crypto/psa*",
    "openssl/*": "src/crypto/libcrypto*",
    "sqlite3.h": "registry/*sqlite*",
    "argon2.h": "secrets/passphrase.c",
    "p11-kit/*": "secrets/token.c",
    "microhttpd.h": "web/*.c",
    "curl/*": "apps/larch/device/qkd_fetch.c",
}

# A crypto provider stands on a library that may allocate: what it may call there. It calls no allocator itself.
PROVIDERS = {
    "src/crypto/psa*": r"psa_\w+",
    "src/crypto/libcrypto*": r"(BN|EC|ECDSA|ERR|EVP|OSSL|RAND)_\w+|(d2i|i2d)_[A-Z]\w+|OPENSSL_cleanse",
}
# It keeps what larch_crypto_init fetched, so it alone has writable data.
KEEPS_HANDLES = ("src/crypto/libcrypto*",)

# System headers for the library: those that exist without an operating system.
SYSTEM = {"stdbool.h", "stddef.h", "stdint.h", "limits.h", "string.h"}

# What any object of the library may call besides larch_*.
EXTERNAL = (
    r"(mem(cpy|move|set|cmp|chr)|bcmp|str(len|cmp|ncmp)|__mem(cpy|move|set)_chk"
    r"|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_"
    r"|__cpu_model|__cpu_features2"  # libgcc's own record of the processor's features, filled before main
    r"|__aeabi_\w+|__u?(div|mod|divmod|ashl|ashr|lshr|mul|clz|ctz|bswap|popcount)[sdt]i\d?)$"
)

# Folder -> its files' names, the lowest layer first: a file includes none of its own layer or above.
ORDERS = {
    "firmware/roles": (
        "role", "sleep typed finder pin frame_ring wear console_lock", "say sniffer_line pin_old",
        "restart front stacks steps", "console state", "unlock",
        "credentials trust", "node", "gateway sender sniffer", "main",
    ),
}

MAX_LINES = 600
HERE = "tools/house/rooms.py"
