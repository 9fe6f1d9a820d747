/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only place for limits. Every value may be overridden from the build
 * (-DLARCH_...=n); the library and its user must see the same values, because
 * they size the public contexts. Units are in the names: bytes, ms, or counts.
 */
#ifndef LARCH_CONFIG_H
#define LARCH_CONFIG_H

#include <stdint.h>

/* ---- parameter sets ---------------------------------------------------- */

/* Set to 0 to leave a parameter set out of the library. [FIPS203 8, FIPS204 4] */
#ifndef LARCH_MLKEM_512
#define LARCH_MLKEM_512 1
#endif
#ifndef LARCH_MLKEM_768
#define LARCH_MLKEM_768 1
#endif
#ifndef LARCH_MLKEM_1024
#define LARCH_MLKEM_1024 1
#endif
/* 0: X25519 (larch/crypto.h), and ECDH and ES256 on P-256 (larch/ecc.h), are left out of the library. */
#ifndef LARCH_ECC
#define LARCH_ECC 1
#endif
/* The hybrid KEM X-Wing; needs ML-KEM-768 and X25519. */
#ifndef LARCH_XWING
#define LARCH_XWING (LARCH_MLKEM_768 && LARCH_ECC)
#endif
#if LARCH_XWING && !LARCH_MLKEM_768
#error "LARCH_XWING needs LARCH_MLKEM_768"
#endif
#if LARCH_XWING && !LARCH_ECC
#error "LARCH_XWING needs LARCH_ECC, for X25519"
#endif
#ifndef LARCH_MLDSA_44
#define LARCH_MLDSA_44 1
#endif
#ifndef LARCH_MLDSA_65
#define LARCH_MLDSA_65 1
#endif
#ifndef LARCH_MLDSA_87
#define LARCH_MLDSA_87 1
#endif

/* ---- debugging --------------------------------------------------------- */

/* 1: secrets can be written as text, for Wireshark: larch_oscore_keylog_put. The build option of this name sets it, and
 * refuses every build type but Debug. */
#ifndef LARCH_KEYLOG
#define LARCH_KEYLOG 0
#endif

/* ---- KEM --------------------------------------------------------------- */

/* 1: larch_kem_keygen tries each pair it makes, an encapsulation and its
 * decapsulation, as FIPS 140-3 wants (pairwise consistency). About three times
 * the work. */
#ifndef LARCH_KEM_PAIRWISE_TEST
#define LARCH_KEM_PAIRWISE_TEST 0
#endif

/* 1: decapsulation compares ciphertexts twice, against a fault that would turn one
 * comparison. */
#ifndef LARCH_KEM_DOUBLE_CHECK
#define LARCH_KEM_DOUBLE_CHECK 0
#endif

/* ---- how the post-quantum code is written ------------------------------- */

/* 1: ML-DSA samples each entry of its matrix where it is multiplied, every time, instead of keeping rows:
 * less than half the stack, and several times the time for signing. ML-KEM is as LARCH_MLKEM_32 says.
 * AVX2 and AVX-512 are then not used. */
#ifndef LARCH_PQ_SMALL
#define LARCH_PQ_SMALL 0
#endif

/* 1: Keccak for 32-bit processors, on bit-interleaved halves of its lanes. */
#ifndef LARCH_KECCAK_32
#define LARCH_KECCAK_32 (UINTPTR_MAX <= 0xffffffff)
#endif

/* 1: ML-KEM for 32-bit processors, in little stack; 0: for processors with vectors. */
#ifndef LARCH_MLKEM_32
#define LARCH_MLKEM_32 (UINTPTR_MAX <= 0xffffffff || LARCH_PQ_SMALL)
#endif

/* ---- CBOR -------------------------------------------------------------- */

/* Arrays, maps and tags inside each other in one item, at most. */
#ifndef LARCH_CBOR_DEPTH
#define LARCH_CBOR_DEPTH 8
#endif

/* ---- CoAP -------------------------------------------------------------- */

/* Largest datagram built or accepted, bytes. [RFC7252 4.6] advises 1152 for the
 * message; this leaves room for a 1024-byte block with its options. */
#ifndef LARCH_COAP_DATAGRAM_MAX
#define LARCH_COAP_DATAGRAM_MAX 1280
#endif

/* Largest block exponent used: size = 2^(szx + 4) bytes. [RFC7959 2.2] */
#ifndef LARCH_COAP_BLOCK_SZX
#define LARCH_COAP_BLOCK_SZX 6
#endif

/* Largest body put together from blocks, bytes: a sealed ML-KEM-1024 message
 * (18 + 1568 + 16) and its text. */
#ifndef LARCH_COAP_BODY_MAX
#define LARCH_COAP_BODY_MAX 2048
#endif

/* Largest body of a request that is put together from blocks, for a resource that takes more than LARCH_COAP_BODY_MAX: of
 * a handshake, a credential by value with its signature. Each LARCH_COAP_REASSEMBLIES takes as much memory. */
#ifndef LARCH_COAP_UPLOAD_MAX
#define LARCH_COAP_UPLOAD_MAX (UINTPTR_MAX <= 0xffffffff ? LARCH_COAP_BODY_MAX : 8192)
#endif

/* Bodies being put together from Block1 requests at one time. */
#ifndef LARCH_COAP_REASSEMBLIES
#define LARCH_COAP_REASSEMBLIES 4
#endif

/* A Block1 body with no new block for this long is dropped. [RFC7959 2.4] */
#ifndef LARCH_COAP_REASSEMBLY_MS
#define LARCH_COAP_REASSEMBLY_MS 60000
#endif

/* 1: a server keeps large answers that may not be made twice between the requests
 * for their blocks. 0: such answers must fit one block. [RFC7959 2.4] */
#ifndef LARCH_SERVER_BODIES
#define LARCH_SERVER_BODIES 1
#endif

/* 1: a server takes requests that a session protects (larch/oscore_service.h). */
#ifndef LARCH_SERVER_SESSIONS
#define LARCH_SERVER_SESSIONS 1
#endif

/* Datagrams of larch_server_receive_many that services look at together, at most; as many as
 * larch_kem_decaps_batch computes side by side. 1: each datagram is taken by itself. */
#ifndef LARCH_SERVER_GROUP
#define LARCH_SERVER_GROUP 8
#endif

/* Messages of ours that wait at one time, all peers together: for an acknowledgement, a response or, of an observation,
 * for notifications. Each takes a datagram of memory. */
#ifndef LARCH_COAP_TRANSMISSIONS
#define LARCH_COAP_TRANSMISSIONS (UINTPTR_MAX <= 0xffffffff ? 4 : 32)
#endif

/* Simultaneous outstanding interactions with one peer. [RFC7252 4.7] */
#ifndef LARCH_COAP_NSTART
#define LARCH_COAP_NSTART 1
#endif

/* Transmission parameters. [RFC7252 4.8] */
#ifndef LARCH_COAP_ACK_TIMEOUT_MS
#define LARCH_COAP_ACK_TIMEOUT_MS 2000
#endif
/* ACK_RANDOM_FACTOR in thousandths. */
#ifndef LARCH_COAP_ACK_RANDOM_PERMILLE
#define LARCH_COAP_ACK_RANDOM_PERMILLE 1500
#endif
#ifndef LARCH_COAP_MAX_RETRANSMIT
#define LARCH_COAP_MAX_RETRANSMIT 4
#endif
#ifndef LARCH_COAP_MAX_LATENCY_MS
#define LARCH_COAP_MAX_LATENCY_MS 100000
#endif
/* A multicast request is answered after a random part of this. [RFC7252 8.2] */
#ifndef LARCH_COAP_LEISURE_MS
#define LARCH_COAP_LEISURE_MS 5000
#endif

/* ---- identity ---------------------------------------------------------- */

/* Entries of its own identity document that a gateway can hold, at most 16: a root key for each parameter set, two
 * ML-DSA keys, and later ones. */
#ifndef LARCH_IDENTITY_HELD
#define LARCH_IDENTITY_HELD 16
#endif

/* ---- direct ------------------------------------------------------------ */

/* Longest text in a sealed message, bytes; a prototype board takes 64. What a
 * set leaves of LARCH_COAP_BODY_MAX may be less. */
#ifndef LARCH_DIRECT_TEXT_MAX
#define LARCH_DIRECT_TEXT_MAX 1024
#endif

/* 1: sealed messages in the form of COSE too. 0: in the form of the prototypes alone, as on boards. */
#ifndef LARCH_DIRECT_COSE
#define LARCH_DIRECT_COSE 1
#endif

#endif
