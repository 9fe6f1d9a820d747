/* SPDX-License-Identifier: Apache-2.0 */
/* An outbox in a fresh folder, and numbered messages for it. A program that includes this has included cmocka.h. */
#ifndef LARCH_TEST_OUTBOX_FOLDER_H
#define LARCH_TEST_OUTBOX_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/outbox.h"
#include "temp_folder.h"

static char folder[TEMP_FOLDER_MAX]; /* a fresh one for each test */
static char outbox_file[96];         /* folder/outbox.db */
static larch_outbox *outbox;
static larch_registry_reason why;
static unsigned put_number;       /* of the message put last */
static uint64_t outbox_bytes_max; /* 0: the default */
static larch_outbox_durability outbox_durability;

static inline int set_up_folder(void **state)
{
    (void)state;
    if (!temp_folder_make(folder))
        return -1;
    snprintf(outbox_file, sizeof outbox_file, "%s/outbox.db", folder);
    outbox = NULL;
    put_number = 0;
    outbox_bytes_max = 0;
    outbox_durability = LARCH_OUTBOX_PROCESS;
    return 0;
}

static inline int tear_down_folder(void **state)
{
    (void)state;
    return temp_folder_remove(folder);
}

static inline const char *const *sinks_of(const char *one, const char *two)
{
    static const char *names[2];
    names[0] = one;
    names[1] = two;
    return names;
}

static inline larch_error open_with(const char *one, const char *two)
{
    const larch_outbox_config config = {.path = outbox_file,
                                        .durability = outbox_durability,
                                        .bytes_max = outbox_bytes_max,
                                        .sinks = sinks_of(one, two),
                                        .sink_count = one == NULL   ? 0
                                                      : two == NULL ? 1
                                                                    : 2};
    return larch_outbox_open(&outbox, &config, &why);
}

static inline larch_error open_outbox(void) { return open_with("stdout", NULL); }

static inline larch_error close_outbox(void)
{
    const larch_error e = larch_outbox_close(outbox, &why);
    outbox = NULL;
    return e;
}

/* Message n, as it is put and as it has to come back. */
static inline larch_outbox_message message_of(unsigned n, char text[64], uint8_t id[14])
{
    const int len = snprintf(text, 64, "message %u", n);
    memset(id, 0, 14);
    id[13] = (uint8_t)n;
    id[12] = (uint8_t)(n >> 8);
    return (larch_outbox_message){.kind = 'D',
                                  .id = {id, 14},
                                  .time_ms = 1700000000000 + n,
                                  .peer = {.address = {0xfe, 0x80, [15] = 7}, .scope = 3, .port = (uint16_t)(n | 1)},
                                  .through = LARCH_TEXT("direct"),
                                  .kem = LARCH_TEXT("ML-KEM-512"),
                                  .text = {(const uint8_t *)text, (size_t)len}};
}

static inline bool is_message(const larch_outbox_message *m, unsigned n)
{
    char text[64];
    uint8_t id[14];
    const larch_outbox_message want = message_of(n, text, id);
    return m->kind == want.kind && m->flags == 0 && larch_bytes_equal(m->id, want.id) && m->time_ms == want.time_ms &&
           larch_peer_equal(&m->peer, &want.peer) && larch_bytes_equal(m->through, want.through) &&
           larch_bytes_equal(m->kem, want.kem) && larch_bytes_equal(m->text, want.text);
}

/* Puts the next message; message n gets sequence n as long as no batch fails. */
static inline larch_error put_next(void)
{
    char text[64];
    uint8_t id[14];
    const larch_outbox_message m = message_of(put_number + 1, text, id);
    const larch_error e = larch_outbox_put(outbox, &m);
    if (e == LARCH_OK)
        put_number++;
    return e;
}

static inline void put_batch(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(put_next(), LARCH_OK);
    assert_int_equal(larch_outbox_commit(outbox), LARCH_OK);
    larch_outbox_marked(outbox);
}

/* The end of a process: what is in the file and its WAL now is what the next one finds. */
static inline void crash(void)
{
    char command[1024], copy[80];
    snprintf(copy, sizeof copy, "%s/crash", folder);
    snprintf(command, sizeof command,
             "rm -rf '%s' && mkdir -m 700 '%s' && cp -p '%s' '%s' && (! test -e '%s-wal' || cp -p '%s-wal' '%s')", copy,
             copy, outbox_file, copy, outbox_file, outbox_file, copy);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    assert_int_equal(close_outbox(), LARCH_OK);
    snprintf(command, sizeof command, "rm -f '%s'* && mv '%s'/* '%s'", outbox_file, copy, folder);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
}

/* Of kind 'O' or 'N': number n of the owner, whose number is that byte eight times. hash: in place of the content's. */
typedef struct oscore_identity {
    larch_seen_entry entry;
    uint8_t id[LARCH_OUTBOX_O_LEN];
    size_t len;
} oscore_identity;

static inline oscore_identity identity_of(char kind, uint8_t owner, uint64_t n, uint8_t hash)
{
    oscore_identity i = {.entry = {.kind = (uint8_t)kind, .number = n}};
    memset(i.entry.owner, owner, sizeof i.entry.owner);
    memset(i.entry.hash, hash, sizeof i.entry.hash);
    larch_writer w = larch_writer_to(i.id, sizeof i.id);
    larch_writer_put(&w, LARCH_BYTES(i.entry.owner));
    if (kind == 'O') {
        larch_writer_put_u8(&w, (uint8_t)(n >> 32));
        larch_writer_put_u32(&w, (uint32_t)n);
        larch_writer_put(&w, LARCH_BYTES(i.entry.hash));
    } else {
        larch_writer_put_u64(&w, n);
    }
    i.len = w.len;
    return i;
}

static inline larch_bytes id_of(const oscore_identity *i) { return (larch_bytes){i->id, i->len}; }
static inline larch_bytes hash_of(const oscore_identity *i)
{
    return i->entry.kind == 'N' ? LARCH_BYTES(i->entry.hash) : (larch_bytes){NULL, 0};
}

/* Puts a message with the text of n, and with a second identity or NULL. */
static inline larch_error put_oscore(const oscore_identity *i, const oscore_identity *also)
{
    return larch_outbox_put(outbox, &(larch_outbox_message){.kind = i->entry.kind,
                                                            .id = id_of(i),
                                                            .hash = hash_of(i),
                                                            .also = also != NULL ? id_of(also) : (larch_bytes){NULL, 0},
                                                            .through = LARCH_TEXT("oscore"),
                                                            .device = LARCH_TEXT("garden-7"),
                                                            .path = LARCH_TEXT("temperature"),
                                                            .format = LARCH_OUTBOX_NO_FORMAT,
                                                            .text = LARCH_TEXT("20.5")});
}

static inline larch_seen_verdict recall(const oscore_identity *i, uint64_t *highest)
{
    return larch_outbox_recall(outbox, i->entry.kind, i->entry.owner, i->entry.number, i->entry.hash, highest);
}

#endif
