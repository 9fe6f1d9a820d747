/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A context file: the parameters of a fixed OSCORE context, in the format of libcoap's coap-oscore-conf(5), so that one
 * file serves both programs.
 *
 *     # a comment
 *     master_secret,hex,"0102030405060708090a0b0c0d0e0f10"
 *     sender_id,ascii,"client"
 *
 * larch reads it strictly: it refuses what it does not know, and what is given twice. Every value is one line of key,
 * type and value; larch has one recipient a context.
 */
#ifndef LARCH_APP_CONTEXT_FILE_H
#define LARCH_APP_CONTEXT_FILE_H

#include "common/app.h"
#include "larch/oscore.h"

#define LARCH_CONTEXT_FILE_MAX   16384 /* bytes */
#define LARCH_CONTEXT_SECRET_MIN 16    /* of a master secret; libcoap takes less */
#define LARCH_CONTEXT_VALUE_MAX  64    /* of a master secret and a master salt */
#define LARCH_CONTEXT_WINDOW_MAX 64    /* of replay_window: larch has one of 64 in any event */

typedef struct larch_context_value {
    unsigned line; /* that gave it; 0: none did */
    size_t len;
    uint8_t bytes[LARCH_CONTEXT_VALUE_MAX];
} larch_context_value;

/* Secret; larch_context_file_wipe. */
typedef struct larch_context_file {
    const larch_cose_aead *aead;
    int64_t hash;
    larch_context_value master_secret, master_salt, sender_id, recipient_id, id_context;
} larch_context_file;

/* What is wrong with the file, without any value of it. */
typedef struct larch_context_fault {
    unsigned line; /* from 1 on; 0: no line in particular */
    char text[120];
} larch_context_fault;

/* Reads the bytes of a context file. LARCH_OK: larch_oscore_context_init takes what was read, if the provider has the
 * algorithm. LARCH_MALFORMED: *fault says why, and *file is wiped. */
LARCH_MUST_USE larch_error larch_context_file_parse(larch_bytes bytes, larch_context_file *file,
                                                    larch_context_fault *fault);

/* Opens and reads a file. LARCH_EXIT_DONE; else it has said why, and *file is wiped.
 * LARCH_EXIT_REFUSED: the file is not a regular one, belongs to another user, or is open to others; or it has a second
 * name or is a link, so that under another name its sequence numbers would begin anew.
 * LARCH_EXIT_USAGE: it holds what larch_context_file_parse refuses. LARCH_EXIT_FAILED: it cannot be read. */
larch_exit larch_context_file_read(const char *command, const char *path, larch_context_file *file);

#define LARCH_CONTEXT_FILE_PLAIN_MAX 512 /* bytes in the plainest form */
/* Writes it in the plainest form, which larch_context_file_parse reads back. It is secret. */
void larch_context_file_put(larch_writer *w, const larch_context_file *file);

/* The parameters, as views of *file. */
larch_oscore_parameters larch_context_file_parameters(const larch_context_file *file);
void larch_context_file_wipe(larch_context_file *file);

#endif
