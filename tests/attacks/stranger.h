/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stranger can send: one row for each kind of request, and a forger that sends any of them at a rate from
 * addresses of its choice, most of which it cannot read answers at.
 */
#ifndef LARCH_TESTS_ATTACKS_STRANGER_H
#define LARCH_TESTS_ATTACKS_STRANGER_H

#include "world.h"

/* X(NAME, text) */
#define STRANGER_REQUESTS(X)                                       \
    X(KEY_512, "GET /pqkem-pk")                                    \
    X(KEY_768, "GET /pqkem-pk?kem=768")                            \
    X(KEY_1024, "GET /pqkem-pk?kem=1024")                          \
    X(KEY_XWING, "GET /pqkem-pk?kem=xwing")                        \
    X(KEY_LATER, "GET /pqkem-pk?kem=1024, second block")           \
    X(KEY_PROTOTYPE, "POST /pqkem-pk without a token")             \
    X(KEY_UNKNOWN, "GET /pqkem-pk?kem=1")                          \
    X(KEY_FORMAT, "GET /pqkem-pk, another Accept")                 \
    X(ROOT, "GET /pqkem-root")                                     \
    X(ROOT_KEY, "GET /pqkem-root?kem=512")                         \
    X(ROOT_QUESTION, "POST /pqkem-root, a question")               \
    X(NEXT_QUESTION, "POST /pqkem-next, a question")               \
    X(UNKNOWN_QUESTION, "POST /pqkem-next, unknown hint")          \
    X(CORE, "GET /.well-known/core")                               \
    X(CORE_GROUP, "GET /.well-known/core to a group")              \
    X(NO_PATH, "GET of an unknown path")                           \
    X(NO_METHOD, "DELETE /.well-known/core")                       \
    X(NO_OPTION, "unknown critical option")                        \
    X(PING, "ping")                                                \
    X(MALFORMED, "malformed options")                              \
    X(GARBAGE, "POST /pqkem-data, one byte")                       \
    X(OTHER_FORMAT, "POST /pqkem-data, another Content-Format")    \
    X(DUPLICATE, "4 bytes with the message ID of an earlier POST") \
    X(BLOCK, "POST /pqkem-data, first block of 16 bytes")          \
    X(FALSE_MESSAGE, "POST /pqkem-data, sealed to another key")    \
    X(MESSAGE, "POST /pqkem-data, a good message")                 \
    X(READING_GET, "GET /r/NAME")                                  \
    X(READING_POST, "POST /r/NAME")                                \
    X(READING_NO_KID, "POST /r/NAME, OSCORE without a kid")        \
    X(READING_UNKNOWN, "POST /r/NAME, OSCORE of no session")       \
    X(READING_FORGED, "POST /r/NAME, forged OSCORE of a session")  \
    X(MESSAGE_1, "POST /.well-known/edhoc, message_1")             \
    X(MESSAGE_3, "POST /.well-known/edhoc, message_3")             \
    X(EARLY, "message_3 before OSCORE of no session")

#define STRANGER_ENUM(name, text) STRANGER_##name,
typedef enum stranger_request { STRANGER_REQUESTS(STRANGER_ENUM) STRANGER_REQUEST_COUNT } stranger_request;
#undef STRANGER_ENUM

const char *stranger_text(stranger_request request);
bool stranger_is_group(stranger_request request);
/* Composes one; not a duplicate, which is no request of its own. number: each has another, for message IDs and so on. */
larch_bytes stranger_compose(world *w, stranger_request request, uint64_t number, uint8_t out[LARCH_COAP_DATAGRAM_MAX]);

typedef enum stranger_source {
    STRANGER_ANYWHERE,   /* each from another prefix */
    STRANGER_ONE_24,     /* 254 addresses */
    STRANGER_ONE_64,     /* each from another address of one IPv6 prefix */
    STRANGER_SENDERS_24, /* the prefix that half of the honest senders are in */
    STRANGER_PROVEN,     /* 30 addresses of one host, which return their Echo */
    STRANGER_PROVEN_64,  /* 4096 addresses of one IPv6 prefix, which return theirs */
    STRANGER_FAR_PROVEN, /* 30 hosts, each in a prefix of its own, which return theirs */
    STRANGER_NOTED       /* STRANGER_NOTED_COUNT addresses, four in a prefix */
} stranger_source;

enum { STRANGER_NOTED_COUNT = 1500 };

/* A host of the network. */
typedef struct forger {
    world *w;
    stranger_request request;
    stranger_source source;
    uint32_t rate;                /* a second; 0: it rests */
    uint64_t begin_ms, sent, all; /* since begin_ms; ever */
} forger;

void forger_begin(forger *f, world *w);
void forger_attack(forger *f, stranger_request request, stranger_source source, uint32_t rate);
/* What follows begins with the first address anew. */
void forger_rewind(forger *f);
void forger_rest(forger *f);

#endif
