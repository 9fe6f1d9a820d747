/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One CoAP message [RFC7252 3]: a strict parser that keeps no state, an option
 * cursor, and a sticky builder. Nothing here knows peers, time or keys, so the
 * endpoint, the sniffer and the fuzzer share it.
 */
#ifndef LARCH_COAP_MESSAGE_H
#define LARCH_COAP_MESSAGE_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_COAP_PORT      5683
#define LARCH_COAP_TOKEN_MAX 8

/* [RFC7252 3] Type */
typedef enum larch_coap_type {
    LARCH_COAP_CON = 0,
    LARCH_COAP_NON = 1,
    LARCH_COAP_ACK = 2,
    LARCH_COAP_RST = 3
} larch_coap_type;

/* c.dd as one byte. [RFC7252 3] Code */
#define LARCH_COAP_CODE(c, dd)  ((uint8_t)((c) << 5 | (dd)))
#define LARCH_COAP_CLASS(code)  ((code) >> 5)
#define LARCH_COAP_DETAIL(code) ((code)&31)

/* Every code with a name: methods, then responses. X(NAME, class, detail, text) */
#define LARCH_COAP_CODES(X)                                            \
    X(EMPTY, 0, 0, "Empty")                                            \
    X(GET, 0, 1, "GET")                                                \
    X(POST, 0, 2, "POST")                                              \
    X(PUT, 0, 3, "PUT")                                                \
    X(DELETE, 0, 4, "DELETE")                                          \
    X(FETCH, 0, 5, "FETCH")                                            \
    X(PATCH, 0, 6, "PATCH")                                            \
    X(IPATCH, 0, 7, "iPATCH")                                          \
    X(CREATED, 2, 1, "Created")                                        \
    X(DELETED, 2, 2, "Deleted")                                        \
    X(VALID, 2, 3, "Valid")                                            \
    X(CHANGED, 2, 4, "Changed")                                        \
    X(CONTENT, 2, 5, "Content")                                        \
    X(CONTINUE, 2, 31, "Continue")                                     \
    X(BAD_REQUEST, 4, 0, "Bad Request")                                \
    X(UNAUTHORIZED, 4, 1, "Unauthorized")                              \
    X(BAD_OPTION, 4, 2, "Bad Option")                                  \
    X(FORBIDDEN, 4, 3, "Forbidden")                                    \
    X(NOT_FOUND, 4, 4, "Not Found")                                    \
    X(METHOD_NOT_ALLOWED, 4, 5, "Method Not Allowed")                  \
    X(NOT_ACCEPTABLE, 4, 6, "Not Acceptable")                          \
    X(REQUEST_ENTITY_INCOMPLETE, 4, 8, "Request Entity Incomplete")    \
    X(CONFLICT, 4, 9, "Conflict")                                      \
    X(PRECONDITION_FAILED, 4, 12, "Precondition Failed")               \
    X(REQUEST_ENTITY_TOO_LARGE, 4, 13, "Request Entity Too Large")     \
    X(UNSUPPORTED_CONTENT_FORMAT, 4, 15, "Unsupported Content-Format") \
    X(TOO_MANY_REQUESTS, 4, 29, "Too Many Requests")                   \
    X(INTERNAL_SERVER_ERROR, 5, 0, "Internal Server Error")            \
    X(NOT_IMPLEMENTED, 5, 1, "Not Implemented")                        \
    X(BAD_GATEWAY, 5, 2, "Bad Gateway")                                \
    X(SERVICE_UNAVAILABLE, 5, 3, "Service Unavailable")                \
    X(GATEWAY_TIMEOUT, 5, 4, "Gateway Timeout")                        \
    X(PROXYING_NOT_SUPPORTED, 5, 5, "Proxying Not Supported")

#define LARCH_COAP_CODE_ENUM(name, c, dd, text) LARCH_COAP_##name = (c) << 5 | (dd),
typedef enum larch_coap_code { LARCH_COAP_CODES(LARCH_COAP_CODE_ENUM) } larch_coap_code;
#undef LARCH_COAP_CODE_ENUM

/* "Content", "GET", ...; "?" for a code without a name. */
const char *larch_coap_code_text(uint8_t code);

/* Option numbers. X(NAME, number, shortest, longest value in bytes, repeatable, text)
 * [RFC7252 5.10] [RFC7959 2.1, 4] [RFC7641 2] [RFC8613 2] [RFC8768 3] [RFC9175 2.2.1, 3.2.1] [RFC9668 3.1] */
#define LARCH_COAP_OPTIONS(X)                             \
    X(IF_MATCH, 1, 0, 8, true, "If-Match")                \
    X(URI_HOST, 3, 1, 255, false, "Uri-Host")             \
    X(ETAG, 4, 1, 8, true, "ETag")                        \
    X(IF_NONE_MATCH, 5, 0, 0, false, "If-None-Match")     \
    X(OBSERVE, 6, 0, 3, false, "Observe")                 \
    X(URI_PORT, 7, 0, 2, false, "Uri-Port")               \
    X(LOCATION_PATH, 8, 0, 255, true, "Location-Path")    \
    X(OSCORE, 9, 0, 255, false, "OSCORE")                 \
    X(URI_PATH, 11, 0, 255, true, "Uri-Path")             \
    X(CONTENT_FORMAT, 12, 0, 2, false, "Content-Format")  \
    X(MAX_AGE, 14, 0, 4, false, "Max-Age")                \
    X(URI_QUERY, 15, 0, 255, true, "Uri-Query")           \
    X(HOP_LIMIT, 16, 1, 1, false, "Hop-Limit")            \
    X(ACCEPT, 17, 0, 2, false, "Accept")                  \
    X(LOCATION_QUERY, 20, 0, 255, true, "Location-Query") \
    X(EDHOC, 21, 0, 0, false, "EDHOC")                    \
    X(BLOCK2, 23, 0, 3, false, "Block2")                  \
    X(BLOCK1, 27, 0, 3, false, "Block1")                  \
    X(SIZE2, 28, 0, 4, false, "Size2")                    \
    X(PROXY_URI, 35, 1, 1034, false, "Proxy-Uri")         \
    X(PROXY_SCHEME, 39, 1, 255, false, "Proxy-Scheme")    \
    X(SIZE1, 60, 0, 4, false, "Size1")                    \
    X(ECHO, 252, 1, 40, false, "Echo")                    \
    X(NO_RESPONSE, 258, 0, 1, false, "No-Response")       \
    X(REQUEST_TAG, 292, 0, 8, true, "Request-Tag")

#define LARCH_COAP_OPTION_ENUM(name, number, shortest, longest, repeatable, text) LARCH_COAP_OPT_##name = (number),
typedef enum larch_coap_option_number { LARCH_COAP_OPTIONS(LARCH_COAP_OPTION_ENUM) } larch_coap_option_number;
#undef LARCH_COAP_OPTION_ENUM

/* "Uri-Path", ...; NULL for a number that is not in the table. */
const char *larch_coap_option_text(uint16_t number);

/* Content-Format numbers [RFC7252 12.3]. */
enum {
    LARCH_COAP_FORMAT_TEXT = 0,
    LARCH_COAP_FORMAT_LINK = 40,
    LARCH_COAP_FORMAT_OCTETS = 42,
    LARCH_COAP_FORMAT_JSON = 50,
    LARCH_COAP_FORMAT_CBOR = 60,
    LARCH_COAP_FORMAT_EDHOC = 64,        /* application/edhoc+cbor-seq [RFC9528 A.2] */
    LARCH_COAP_FORMAT_CID_EDHOC = 65,    /* application/cid-edhoc+cbor-seq: true, or an identifier, stands before it */
    LARCH_COAP_FORMAT_COSE_ENCRYPT = 96, /* application/cose; cose-type="cose-encrypt" [RFC9052 11.3] */
    LARCH_COAP_FORMAT_SENML_JSON = 110,
    LARCH_COAP_FORMAT_SENML_CBOR = 112,
    LARCH_COAP_FORMAT_NONE = 0xffff /* ends a list of formats; reserved */
};

/* ---- parsing ----------------------------------------------------------- */

/* The fields of one message; the views point into the datagram. */
typedef struct larch_coap_message {
    larch_coap_type type;
    uint8_t code;
    uint16_t message_id;
    larch_bytes token;
    larch_bytes options; /* encoded; walk them with larch_coap_options */
    larch_bytes payload;
} larch_coap_message;

/* Reads the first four bytes alone: enough to reset or ignore what is broken
 * behind them. LARCH_MALFORMED: too short, or not version 1 (to be ignored,
 * [RFC7252 3]). token, options and payload come out empty. */
LARCH_MUST_USE larch_error larch_coap_parse_header(larch_bytes datagram, larch_coap_message *out);

/* Reads a whole untrusted datagram and checks its form to the last byte: token
 * length, every option's delta and length, payload marker, an Empty message of
 * exactly four bytes. Says nothing about the meaning of options. LARCH_MALFORMED
 * leaves *out zeroed. */
LARCH_MUST_USE larch_error larch_coap_parse(larch_bytes datagram, larch_coap_message *out);

typedef struct larch_coap_option {
    uint16_t number;
    larch_bytes value;
} larch_coap_option;

/* A walk over the options of a parsed message, in order of number. */
typedef struct larch_coap_options {
    larch_reader left;
    uint16_t number;
} larch_coap_options;

larch_coap_options larch_coap_options_of(const larch_coap_message *message);
/* The next option; false past the last. */
bool larch_coap_options_next(larch_coap_options *options, larch_coap_option *out);
/* The first option with this number; false if there is none. An elective one
 * with a length out of its range counts as absent [RFC7252 5.4.3]; a critical one is
 * the matter of larch_coap_find_bad_option. */
bool larch_coap_option_find(const larch_coap_message *message, uint16_t number, larch_bytes *value);

/* The number in an option's value: 0 to 4 bytes, big-endian [RFC7252 3.2].
 * LARCH_MALFORMED if it is longer. */
LARCH_MUST_USE larch_error larch_coap_option_uint(larch_bytes value, uint32_t *out);
/* Whether an option stands that holds a number above limit; a value that is no number counts as absent. */
bool larch_coap_option_exceeds(const larch_coap_message *message, uint16_t number, size_t limit);

static inline bool larch_coap_option_is_critical(uint16_t number) { return (number & 1) != 0; }

/* Looks for an option that forbids to go on [RFC7252 5.4.1, 5.4.3, 5.4.5]: a critical one
 * that is not among understood[0..count), or has a length out of its range, or
 * stands twice though not repeatable. Returns true and its number if there is one. */
bool larch_coap_find_bad_option(const larch_coap_message *message, const uint16_t *understood, size_t count,
                                uint16_t *number);

/* Whether the Uri-Path is exactly path, given without the leading slash:
 * ".well-known/core". An empty path and "" are the root. */
bool larch_coap_path_is(const larch_coap_message *message, const char *path);

/* Whether the Uri-Path is path with one segment more, which becomes *name: untrusted, and maybe empty. */
bool larch_coap_path_is_below(const larch_coap_message *message, const char *path, larch_bytes *name);

/* The value of a query "name=value"; false if there is no such Uri-Query. */
bool larch_coap_query_find(const larch_coap_message *message, const char *name, larch_bytes *value);
/* Whether there is a query "name", which has no value. */
bool larch_coap_query_has(const larch_coap_message *message, const char *name);

/* ---- building ---------------------------------------------------------- */

/* Writes header, options in ascending order, payload. Errors are sticky and
 * come out at the end: LARCH_SPACE if it does not fit, LARCH_STATE if options
 * came out of order or after the payload, or a length is out of range. */
typedef struct larch_coap_builder {
    larch_writer writer;
    uint16_t number;   /* private: of the last option */
    bool closed;       /* private: nothing may follow */
    larch_error error; /* private */
} larch_coap_builder;

void larch_coap_build(larch_coap_builder *b, uint8_t *out, size_t cap, larch_coap_type type, uint8_t code,
                      uint16_t message_id, larch_bytes token);
void larch_coap_build_option(larch_coap_builder *b, uint16_t number, larch_bytes value);
/* In the shortest form; 0 is the empty value. */
void larch_coap_build_option_uint(larch_coap_builder *b, uint16_t number, uint32_t value);
/* "a/b" as two Uri-Path options, without a leading slash; "" adds none. */
void larch_coap_build_path(larch_coap_builder *b, const char *path);
/* "x=1&y" as two Uri-Query options; "" adds none. */
void larch_coap_build_query(larch_coap_builder *b, const char *query);
/* Marker and payload; neither if it is empty. */
void larch_coap_build_payload(larch_coap_builder *b, larch_bytes payload);
/* Marker and room for len (> 0) bytes of payload; NULL if they do not fit. */
uint8_t *larch_coap_build_payload_reserve(larch_coap_builder *b, size_t len);
LARCH_MUST_USE larch_error larch_coap_build_end(const larch_coap_builder *b, larch_bytes *datagram);

/* ---- Block options ----------------------------------------------------- */

/* The value of Block1 or Block2 [RFC7959 2.2]. */
typedef struct larch_coap_block {
    uint32_t num; /* 0 to 2^20 - 1 */
    bool more;
    uint8_t szx; /* 0 to 6; size = 2^(szx + 4) */
} larch_coap_block;

/* LARCH_MALFORMED: longer than 3 bytes, or the reserved szx 7. */
LARCH_MUST_USE larch_error larch_coap_block_parse(larch_bytes value, larch_coap_block *out);
/* The block option of this number in a message. *given: whether there is one; without it *out is unchanged. Errors are
 * those of larch_coap_block_parse. */
LARCH_MUST_USE larch_error larch_coap_block_find(const larch_coap_message *message, uint16_t number, bool *given,
                                                 larch_coap_block *out);
uint32_t larch_coap_block_value(larch_coap_block block);
static inline size_t larch_coap_block_size(uint8_t szx) { return (size_t)16 << szx; }

#ifdef __cplusplus
}
#endif

#endif
