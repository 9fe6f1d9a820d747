/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions in a fresh state folder, and contexts for them. A program that includes this has included cmocka.h. */
#ifndef TESTS_SESSIONS_FOLDER_H
#define TESTS_SESSIONS_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "larch/crypto.h"
#include "registry/seal.h"
#include "registry/sessions.h"
#include "storage.h"
#include "temp_folder.h"

#define SESSIONS_DB "sessions.db"
#define UNIX_S      1800000000u /* 2027 */
#define BASE        (UNIX_S - 1767225600u)

static char folder[TEMP_FOLDER_MAX]; /* a fresh one for each test */
static char sessions_file[96];       /* folder/sessions.db */
static larch_posix_storage files;
static larch_storage storage;
static larch_random source;
static larch_sessions *sessions;
static larch_epochs epochs;
static larch_registry_reason why;
static size_t place_max; /* 0: 64 */

static inline void open_storage(void)
{
    assert_int_equal(larch_posix_storage_open(&files, folder, LARCH_POSIX_DURABILITY_PROCESS), LARCH_OK);
    storage = larch_posix_storage_interface(&files);
    storage.start = 1;
}

static inline int set_up_folder(void **state)
{
    (void)state;
    if (!temp_folder_make(folder) || larch_crypto_init() != LARCH_OK)
        return -1;
    snprintf(sessions_file, sizeof sessions_file, "%s/" SESSIONS_DB, folder);
    open_storage();
    source = larch_crypto_random();
    sessions = NULL;
    place_max = 64;
    return 0;
}

static inline int tear_down_folder(void **state)
{
    (void)state;
    larch_posix_storage_close(&files);
    return temp_folder_remove(folder);
}

static bool sessions_have_groups; /* handshakes become durable by larch_sessions_commit */

static inline larch_error open_at(uint32_t start, uint32_t complete)
{
    const larch_sessions_config config = {.path = sessions_file,
                                          .storage = &storage,
                                          .random = &source,
                                          .place_max = place_max,
                                          .start = start,
                                          .complete = complete,
                                          .has_groups = sessions_have_groups};
    return larch_sessions_open(&sessions, &config, &why);
}

static inline larch_error open_sessions(void) { return open_at(0, 0); }

static inline void open_ok(void)
{
    const larch_error e = open_sessions();
    if (e != LARCH_OK)
        print_error("%s\n", why.text);
    assert_int_equal(e, LARCH_OK);
}

static inline larch_error start_at(uint64_t now_ms, uint64_t unix_s)
{
    size_t removed;
    return larch_sessions_start(sessions, &epochs, now_ms, unix_s, &removed);
}

/* A gateway's start. */
static inline void start_ok(void)
{
    open_ok();
    assert_int_equal(start_at(0, UNIX_S), LARCH_OK);
}

static inline larch_error close_sessions(void)
{
    const larch_error e = larch_sessions_close(sessions, &why);
    sessions = NULL;
    return e;
}

static inline void close_ok(void) { assert_int_equal(close_sessions(), LARCH_OK); }

/* Goes on in a copy of the folder as it is now, as after the end of the process. */
static inline void crash(void)
{
    static char before[TEMP_FOLDER_MAX];
    char command[3 * TEMP_FOLDER_MAX];
    memcpy(before, folder, sizeof before);
    assert_true(temp_folder_make(folder));
    snprintf(command, sizeof command, "cp -p '%s'/* '%s'/", before, folder);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): the paths are this program's own */
    larch_posix_storage_close(&files);
    (void)!larch_sessions_close(sessions, &why);
    assert_int_equal(temp_folder_remove(before), 0);
    snprintf(sessions_file, sizeof sessions_file, "%s/" SESSIONS_DB, folder);
    open_storage();
    sessions = NULL;
}

/* ---- contexts --------------------------------------------------------------- */

/* Context n: its parameters, with views of *bytes. */
typedef struct numbered_bytes {
    uint8_t secret[16], sender[2], recipient[3], salt[8];
} numbered_bytes;

static inline larch_oscore_parameters numbered(unsigned n, numbered_bytes *b)
{
    memset(b, 7, sizeof *b);
    b->secret[0] = b->recipient[0] = (uint8_t)(n >> 8);
    b->secret[1] = b->recipient[1] = (uint8_t)n;
    return (larch_oscore_parameters){.aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_64_128),
                                     .hash = LARCH_COSE_SHA_256,
                                     .master_secret = LARCH_BYTES(b->secret),
                                     .master_salt = LARCH_BYTES(b->salt),
                                     .sender_id = LARCH_BYTES(b->sender),
                                     .recipient_id = LARCH_BYTES(b->recipient)};
}

static inline larch_error add_numbered(unsigned n, const char *name, uint32_t expires_s, larch_session **session)
{
    numbered_bytes b;
    const larch_oscore_parameters p = numbered(n, &b);
    return larch_sessions_add(sessions, name, &p, expires_s, session);
}

static inline larch_session *add_ok(unsigned n, const char *name, uint32_t expires_s)
{
    larch_session *session;
    const larch_error e = add_numbered(n, name, expires_s, &session);
    if (e != LARCH_OK)
        print_error("%s\n", larch_sessions_error(sessions)->text);
    assert_int_equal(e, LARCH_OK);
    return session;
}

static inline larch_session *find_numbered(unsigned n)
{
    const larch_contexts *contexts = larch_sessions_contexts(sessions);
    numbered_bytes b;
    const larch_oscore_parameters p = numbered(n, &b);
    return contexts->find(contexts->context, p.recipient_id, (larch_bytes){NULL, 0});
}

/* Whether the session is context n, whole. */
static inline bool is_numbered(const larch_session *session, unsigned n)
{
    numbered_bytes b;
    const larch_oscore_parameters p = numbered(n, &b);
    larch_oscore_context want;
    assert_int_equal(larch_oscore_context_init(&want, &p), LARCH_OK);
    const larch_oscore_context *c = &session->oscore;
    return c->aead == want.aead && memcmp(c->sender_key, want.sender_key, sizeof want.sender_key) == 0 &&
           memcmp(c->recipient_key, want.recipient_key, sizeof want.recipient_key) == 0 &&
           memcmp(c->common_iv, want.common_iv, sizeof want.common_iv) == 0 && c->sender_id_len == want.sender_id_len &&
           c->recipient_id_len == want.recipient_id_len &&
           memcmp(c->recipient_id, want.recipient_id, want.recipient_id_len) == 0;
}

/* Uses own numbers of the session. */
static inline void use_numbers(larch_session *session, unsigned count)
{
    uint64_t number;
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(larch_epochs_take(&epochs, session, 1000000000, &number), LARCH_OK);
}

#endif
