/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The security contexts of a key log, with which the sniffer opens what others sent to each other. It holds both ends of
 * each, for either may send requests. Nothing is marked as received: whoever listens sees each message as often as it
 * passes.
 */
#ifndef LARCH_SNIFF_KEYS_H
#define LARCH_SNIFF_KEYS_H

#include "sniff/dissect/key_line.h"
#include "sniff/dissect/lake.h"
#include "sniff/dissect/oscore.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SNIFF_CONTEXTS  256
#define LARCH_SNIFF_SECRETS   1024  /* of handshakes: two for each */
#define LARCH_SNIFF_PLAIN_MAX 4096  /* bytes of a message that is opened */
#define LARCH_SNIFF_LAKE_MAX  16384 /* twice as many as a message of a handshake has, which is a whole body */

typedef struct larch_sniff_context {
    larch_oscore_context opens[2]; /* private, all of it: opens[i] opens what the holder of ids[i] sends */
    uint8_t ids[2][LARCH_OSCORE_ID_MAX];
    uint8_t id_lens[2];
    bool has_id_context;
    uint8_t id_context_len;
    uint8_t id_context[LARCH_OSCORE_ID_CONTEXT_MAX];
} larch_sniff_context;

/* About 650 KiB: put it on the heap. Secret. */
typedef struct larch_sniff_keys {
    larch_sniff_context contexts[LARCH_SNIFF_CONTEXTS]; /* private, all of it */
    size_t count;
    larch_lake_secrets secrets[LARCH_SNIFF_SECRETS];
    size_t secret_count;
    uint8_t plain[LARCH_SNIFF_PLAIN_MAX]; /* of the message that was opened last */
    uint8_t lake_plain[LARCH_SNIFF_LAKE_MAX];
} larch_sniff_keys;

typedef struct larch_sniff_keys_trouble {
    size_t line;     /* from 1; 0: not a matter of one line */
    const char *why; /* constant words, without anything of the file */
} larch_sniff_keys_trouble;

/* Reads a whole key log, which is untrusted: lines as key_line.h and lake_line.h say, empty ones and comments. On an error *trouble says
 * where and why, and *keys is wiped. LARCH_MALFORMED: a line that is neither; LARCH_STATE: its IDs do not fit the
 * algorithm, or are the same; LARCH_SPACE: more than LARCH_SNIFF_CONTEXTS or LARCH_SNIFF_SECRETS; LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_sniff_keys_read(larch_sniff_keys *keys, larch_bytes text,
                                                 larch_sniff_keys_trouble *trouble);
void larch_sniff_keys_wipe(larch_sniff_keys *keys);

/* Opens a request whose option was parsed, and that has kid and Partial IV. outer: the message, with its whole body as
 * payload. *asked and *inner are set when it was opened; *inner's views hold until the next call. */
larch_sniff_oscore_outcome larch_sniff_keys_open_request(larch_sniff_keys *keys, const larch_oscore_option *option,
                                                         const larch_coap_message *outer,
                                                         larch_sniff_oscore_asked *asked, larch_coap_message *inner);
/* Opens a response to a request that was opened. */
larch_sniff_oscore_outcome larch_sniff_keys_open_response(larch_sniff_keys *keys, const larch_sniff_oscore_asked *asked,
                                                          const larch_coap_message *outer, larch_coap_message *inner);

/* The secrets of a handshake after message_2 or message_3, by TH_2 or TH_3: their index and 1; 0: the key log has none. */
uint16_t larch_sniff_keys_find_secrets(const larch_sniff_keys *keys, bool after_3, larch_bytes th);
/* Those after message_3 to those after message_2, which may be 0. */
uint16_t larch_sniff_keys_find_next(const larch_sniff_keys *keys, uint16_t after_2);
/* Opens message_2, _3 or _4 of a handshake with these secrets, which may be 0. inside is set when it was opened; its views
 * hold until the next call. */
larch_sniff_lake_outcome larch_sniff_keys_open_lake(larch_sniff_keys *keys, const larch_lake_suite *suite,
                                                    unsigned method, larch_sniff_lake_message which, uint16_t after_2,
                                                    uint16_t after_3, larch_bytes message, larch_lake_inside *inside);

#ifdef __cplusplus
}
#endif

#endif
