/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backup file from anywhere. The first byte chooses: a whole file, of which the head is taken and written the same
 * again, and which does not open under a key that did not seal it; or a stream of items that is sealed here first, cut or
 * altered as the second byte says, so that the reader of items gets bytes that are authentic and make no sense.
 */
#include <string.h>

#include "fuzz.h"
#include "secrets/backup.h"

static uint8_t file[4 * LARCH_BACKUP_CHUNK];
static size_t file_len, file_at;
static larch_backup backup;

static larch_error write_file(void *context, uint8_t *bytes, size_t len)
{
    (void)context;
    if (len > sizeof file - file_len)
        return LARCH_SPACE;
    memcpy(file + file_len, bytes, len);
    file_len += len;
    return LARCH_OK;
}

static larch_error read_file(void *context, uint8_t *bytes, size_t len)
{
    (void)context;
    require(len <= file_len - file_at);
    memcpy(bytes, file + file_at, len);
    file_at += len;
    return LARCH_OK;
}

static larch_error read_items(const larch_backup_head *head)
{
    char name[LARCH_BACKUP_NAME_MAX + 1];
    uint8_t bytes[256];
    uint64_t size = 0;
    larch_error e = larch_backup_open(&backup, head, LARCH_TEXT("a key of more than thirty-two bytes"),
                                      file_len - LARCH_BACKUP_HEAD_LEN);
    while (e == LARCH_OK && (e = larch_backup_take_item(&backup, name, &size)) == LARCH_OK) {
        require(name[0] != '\0' && strlen(name) <= LARCH_BACKUP_NAME_MAX);
        for (; e == LARCH_OK && size > 0; size -= size < sizeof bytes ? size : sizeof bytes)
            e = larch_backup_take(&backup, bytes, size < sizeof bytes ? (size_t)size : sizeof bytes);
    }
    require(e != LARCH_OK);
    if (e == LARCH_AGAIN)
        require(file_at == file_len);
    return e;
}

static void try_whole(larch_bytes bytes)
{
    uint8_t again[LARCH_BACKUP_HEAD_LEN];
    larch_backup_head head;
    if (bytes.len < sizeof again || bytes.len > sizeof file ||
        larch_backup_head_take((larch_bytes){bytes.data, sizeof again}, &head) != LARCH_OK)
        return;
    larch_writer w = larch_writer_to(again, sizeof again);
    larch_backup_head_put(&w, &head);
    require(w.len == sizeof again && memcmp(again, bytes.data, sizeof again) == 0);
    if (head.kind != LARCH_BACKUP_KEY)
        return; /* Argon2id takes too long here */
    memcpy(file, bytes.data, bytes.len);
    file_len = bytes.len;
    file_at = sizeof again;
    backup.move = read_file;
    require(read_items(&head) != LARCH_AGAIN);
}

static void try_items(larch_bytes bytes, uint8_t change)
{
    const larch_backup_head head = {.kind = LARCH_BACKUP_KEY};
    const larch_bytes secret = LARCH_TEXT("a key of more than thirty-two bytes");
    file_len = 0;
    backup.move = write_file;
    require(larch_backup_begin(&backup, &head, secret) == LARCH_OK && larch_backup_put(&backup, bytes) == LARCH_OK &&
            larch_backup_end(&backup) == LARCH_OK);
    file_at = LARCH_BACKUP_HEAD_LEN;
    if (change > 0) {
        file[file_at + change % (file_len - file_at)] ^= change;
        backup.move = read_file;
        require(read_items(&head) != LARCH_AGAIN);
        return;
    }
    backup.move = read_file;
    (void)!read_items(&head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    require(larch_crypto_init() == LARCH_OK);
    if (size < 2)
        return 0;
    const larch_bytes rest = {data + 2, size - 2};
    if ((data[0] & 1) == 0)
        try_whole(rest);
    else if (rest.len < 3 * LARCH_BACKUP_CHUNK)
        try_items(rest, data[1]);
    return 0;
}
