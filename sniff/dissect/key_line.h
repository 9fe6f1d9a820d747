/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of a key log, as Wireshark's file "oscore_contexts" has them: quoted values with commas between them.
 *
 *     "00","01","0102030405060708090a0b0c0d0e0f10","9e7ca92223786340","","AES-CCM-16-64-128 (CCM*)"
 *
 * They are the Sender ID of who sends the requests, its Recipient ID, Master Secret, Master Salt, ID Context (empty: there
 * is none), each in hexadecimal, and the algorithm: its name, or its number in COSE's table. The hash is SHA-256.
 */
#ifndef LARCH_SNIFF_KEY_LINE_H
#define LARCH_SNIFF_KEY_LINE_H

#include "larch/oscore.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SNIFF_SECRET_MAX 64 /* bytes of a Master Secret and of a Master Salt */

/* Secret: wipe it with larch_wipe. */
typedef struct larch_sniff_key_line {
    larch_oscore_parameters parameters; /* views into the members below, so a copy of this struct does not work */
    uint8_t sender_id[LARCH_OSCORE_ID_MAX], recipient_id[LARCH_OSCORE_ID_MAX];
    uint8_t secret[LARCH_SNIFF_SECRET_MAX], salt[LARCH_SNIFF_SECRET_MAX];
    uint8_t id_context[LARCH_OSCORE_ID_CONTEXT_MAX];
} larch_sniff_key_line;

/* Whether a line holds no context: nothing but spaces, or a comment behind #. */
bool larch_sniff_key_line_is_empty(larch_bytes line);

/* Reads a line, without its line feed, which is untrusted and holds a context. LARCH_MALFORMED: *why says what is wrong,
 * in constant words without anything of the line; *out is wiped. *why is unchanged if all is well. */
LARCH_MUST_USE larch_error larch_sniff_key_line_parse(larch_bytes line, larch_sniff_key_line *out, const char **why);

#ifdef __cplusplus
}
#endif

#endif
