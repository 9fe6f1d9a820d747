/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What everything else stands on: errors, the three buffer types, peers,
 * random, tracing, wiping and comparing. No state, no I/O.
 */
#ifndef LARCH_BASE_H
#define LARCH_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "larch/config.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A dropped error is a bug: every function that returns one is marked. */
#if defined(__GNUC__)
#define LARCH_MUST_USE __attribute__((warn_unused_result))
#else
#define LARCH_MUST_USE
#endif

/* ---- errors ------------------------------------------------------------ */

/* Each code tells the caller what to do next. On any error the outputs are
 * unchanged or zeroed. */
#define LARCH_ERRORS(X)                                  \
    X(OK, 0, "done")                                     \
    X(AGAIN, 1, "nothing now; wait for the deadline")    \
    X(MALFORMED, 2, "the bytes break the format")        \
    X(AUTH, 3, "tag or signature is wrong")              \
    X(REPLAY, 4, "seen before")                          \
    X(SPACE, 5, "output too small")                      \
    X(SPENT, 6, "numbers used up; rekey")                \
    X(STATE, 7, "not allowed in this state")             \
    X(PLATFORM, 8, "random, flash or socket failed")     \
    X(TIMEOUT, 9, "no answer in time; ask again later")  \
    X(BUSY, 10, "every place is taken; try again later") \
    X(RESET, 11, "the peer refused the message")

#define LARCH_ERROR_ENUM(name, value, text) LARCH_##name = (value),
typedef enum larch_error { LARCH_ERRORS(LARCH_ERROR_ENUM) } larch_error;
#undef LARCH_ERROR_ENUM

/* "AGAIN", "nothing now; ...": never NULL; an unknown code gives "?". */
const char *larch_error_name(larch_error error);
const char *larch_error_text(larch_error error);

/* ---- buffers ----------------------------------------------------------- */

/* A view onto bytes that someone else owns. data may be NULL if len is 0. */
typedef struct larch_bytes {
    const uint8_t *data;
    size_t len;
} larch_bytes;

/* The bytes of an array, and of a string literal without its end. */
#define LARCH_BYTES(array)  ((larch_bytes){(array), sizeof(array)})
#define LARCH_TEXT(literal) ((larch_bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

/* Same length and content. Not for secrets: it stops at the first difference. */
bool larch_bytes_equal(larch_bytes a, larch_bytes b);
/* The bytes of a string, without its end. */
larch_bytes larch_bytes_of_text(const char *text);
/* The number in len (at most 8) bytes, most significant first. */
uint64_t larch_number_at(const uint8_t *at, size_t len);

/* A cursor over untrusted bytes. A take that asks for more than is left returns
 * LARCH_MALFORMED and moves nothing. */
typedef struct larch_reader {
    larch_bytes left;
} larch_reader;

static inline larch_reader larch_reader_of(larch_bytes bytes)
{
    larch_reader reader = {bytes};
    return reader;
}
LARCH_MUST_USE larch_error larch_reader_take(larch_reader *r, size_t len, larch_bytes *out);
LARCH_MUST_USE larch_error larch_reader_take_u8(larch_reader *r, uint8_t *out);
LARCH_MUST_USE larch_error larch_reader_take_u16(larch_reader *r, uint16_t *out); /* big-endian */
LARCH_MUST_USE larch_error larch_reader_take_u16le(larch_reader *r, uint16_t *out);
LARCH_MUST_USE larch_error larch_reader_take_u32(larch_reader *r, uint32_t *out); /* big-endian */
LARCH_MUST_USE larch_error larch_reader_take_u64(larch_reader *r, uint64_t *out); /* big-endian */

/* Writes into memory of the caller and counts past its end: overflow is sticky,
 * nothing is written beyond cap, and a writer of cap 0 measures. */
typedef struct larch_writer {
    uint8_t *data;
    size_t cap;
    size_t len; /* may exceed cap: then the output does not fit */
} larch_writer;

static inline larch_writer larch_writer_to(uint8_t *data, size_t cap)
{
    larch_writer writer = {data, cap, 0};
    return writer;
}
void larch_writer_put(larch_writer *w, larch_bytes bytes);
void larch_writer_put_text(larch_writer *w, const char *text); /* without its end */
void larch_writer_put_decimal(larch_writer *w, uint32_t number);
void larch_writer_put_u8(larch_writer *w, uint8_t value);
void larch_writer_put_u16(larch_writer *w, uint16_t value); /* big-endian */
void larch_writer_put_u16le(larch_writer *w, uint16_t value);
void larch_writer_put_u32(larch_writer *w, uint32_t value); /* big-endian */
void larch_writer_put_u32le(larch_writer *w, uint32_t value);
void larch_writer_put_u64(larch_writer *w, uint64_t value); /* big-endian */
/* Room for len bytes that the caller fills in; NULL if they do not fit (the
 * length is counted all the same). */
uint8_t *larch_writer_reserve(larch_writer *w, size_t len);
/* LARCH_OK and the view of what was written, or LARCH_SPACE (w->len is the
 * size it would take). */
LARCH_MUST_USE larch_error larch_writer_finish(const larch_writer *w, larch_bytes *out);

/* Memory of the caller in which the newest bytes stay: each put takes the place of the oldest. Positions count on
 * for ever, so a position and a length are enough to ask for what was put. */
typedef struct larch_ring {
    uint8_t *bytes; /* private, all of it */
    size_t size;
    uint64_t put; /* bytes put so far, with the gaps left at the end of the memory */
} larch_ring;

static inline larch_ring larch_ring_of(uint8_t *bytes, size_t size)
{
    larch_ring ring = {bytes, size, 0};
    return ring;
}
/* Copies bytes, at most the ring's size, in one piece. Returns their position. */
uint64_t larch_ring_put(larch_ring *ring, larch_bytes bytes);
/* What was put there, as a view that holds until the next put; empty if newer bytes took its place. */
larch_bytes larch_ring_get(const larch_ring *ring, uint64_t position, size_t len);

/* ---- large tables ------------------------------------------------------ */

/* Zeroes memory, and writes only what is not zero: pages that a system has promised but not yet given stay so. */
void larch_zero_lazily(void *memory, size_t len);

/* ---- secrets ----------------------------------------------------------- */

/* Zeroes memory in a way that the compiler keeps. */
void larch_wipe(void *memory, size_t len);

/* Compares len bytes in time that depends on len alone. */
bool larch_ct_equal(const uint8_t *a, const uint8_t *b, size_t len);

/* ---- checksum ---------------------------------------------------------- */

/* CRC-32 (IEEE 802.3, reflected, as in zlib) over bytes, going on from crc; start with 0.
 * Finds accidents, not attackers. */
uint32_t larch_crc32(uint32_t crc, larch_bytes bytes);

/* ---- peers ------------------------------------------------------------- */

/* Where a datagram came from or goes to. IPv4 is written as ::ffff:a.b.c.d, so
 * that one peer has one form. */
typedef struct larch_peer {
    uint8_t address[16];
    uint32_t scope;  /* IPv6 zone index, else 0 */
    uint16_t port;   /* host byte order */
    uint8_t via;     /* the driver's own mark of the local address in use; not part of the peer's identity */
    bool is_on_link; /* the address belongs to the link of the interface that received from it; no part either */
} larch_peer;

bool larch_peer_equal(const larch_peer *a, const larch_peer *b);
bool larch_peer_is_ipv4(const larch_peer *peer);
/* The address cut to the prefix that one owner can be expected to hold: /24 of
 * IPv4, /64 of IPv6; the rest zeroed. */
larch_peer larch_peer_prefix(const larch_peer *peer);

/* ---- random ------------------------------------------------------------ */

/* A source of random bytes fit for keys. fill returns LARCH_OK with all len
 * bytes written, or LARCH_PLATFORM. */
typedef struct larch_random {
    larch_error (*fill)(void *context, uint8_t *out, size_t len);
    void *context;
} larch_random;

LARCH_MUST_USE larch_error larch_random_fill(const larch_random *random, uint8_t *out, size_t len);

/* ---- trace ------------------------------------------------------------- */

/* Lets a program time and show the steps of an operation. The library reads no
 * clock: it says where a step begins and ends, and how many bytes it made. No
 * secret is ever passed. A NULL trace, or a NULL step, is silent. */
#define LARCH_STEPS(X)                      \
    X(KEM_KEYGEN, "ML-KEM key generation")  \
    X(KEM_ENCAPS, "ML-KEM encapsulation")   \
    X(KEM_DECAPS, "ML-KEM decapsulation")   \
    X(KDF, "HKDF-SHA-256")                  \
    X(KMAC, "KMAC256")                      \
    X(SEAL, "AES-128-CCM seal")             \
    X(OPEN, "AES-128-CCM open")             \
    X(CHECK_KEY, "encapsulation key check") \
    X(FINGERPRINT, "SHA-256 fingerprint")

#define LARCH_STEP_ENUM(name, text) LARCH_STEP_##name,
typedef enum larch_step { LARCH_STEPS(LARCH_STEP_ENUM) LARCH_STEP_COUNT } larch_step;
#undef LARCH_STEP_ENUM

const char *larch_step_text(larch_step step);

typedef struct larch_trace {
    void (*step)(void *context, larch_step step, bool begin, size_t bytes);
    void *context;
} larch_trace;

void larch_trace_begin(const larch_trace *trace, larch_step step);
void larch_trace_end(const larch_trace *trace, larch_step step, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
