/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of the state folder, with any content. The first byte chooses what is made right
 * before it is loaded, so that the fuzzer gets past the checksums: bit 0 that of the record,
 * bit 1 those of the marks. Whatever loads is what larch itself would have written.
 */
#include <string.h>

#include "flash.h"
#include "fuzz.h"
#include "larch/store.h"
#include "seal.h"
#include "stamp.h"

#define FILE_MAX    4096
#define MARKS_START 512
#define SLOTS       256
#define FRONT       16 /* of a record */
#define RING_NAME   "direct-512.key"
#define RING_SIZE   206
#define SET_NAME    "replay-512-1.log"

static void repair_record(uint8_t *file, size_t size)
{
    size_t end = size >= FRONT ? FRONT + ((size_t)file[14] << 8 | file[15]) : size;
    if (size >= 4 && end <= size - 4)
        seal_crc(file, end);
}

static void repair_marks(uint8_t *file, size_t size)
{
    static const uint8_t journal[6] = {2, 0, 0, 0, 0, 1};
    for (size_t at = MARKS_START; at + 16 <= size; at += 16) {
        bool erased = true;
        for (size_t i = 0; i < 16; i++)
            erased = erased && file[at + i] == LARCH_STORAGE_ERASED;
        if (erased)
            continue;
        seal_put_u32(file + at + 8, (uint32_t)((at - MARKS_START) / 16));
        uint32_t crc = larch_crc32(larch_crc32(0, LARCH_BYTES(journal)), (larch_bytes){file + at, 12});
        seal_put_u32(file + at + 12, crc);
    }
}

/* The start counter that stands where a record has its own. */
static uint32_t start_of(larch_bytes file)
{
    uint32_t start = 0;
    for (size_t i = 8; i < 12 && file.len >= FRONT; i++)
        start = start << 8 | file.data[i];
    return start;
}

/* What the start that wrote the file can read, the one before cannot. */
static void check_start(const larch_storage *storage, larch_record_kind kind)
{
    uint8_t out[LARCH_RECORD_MAX];
    size_t len;
    larch_store_fault fault;
    larch_storage earlier = *storage;
    earlier.start--;
    if (storage->start == 0 || larch_record_read(storage, SET_NAME, kind, out, sizeof out, &len, &fault) != LARCH_OK)
        return;
    require(larch_record_read(&earlier, SET_NAME, kind, out, sizeof out, &len, &fault) == LARCH_MALFORMED);
    require(fault == LARCH_STORE_AHEAD && len == 0);
}

static void check_head(const larch_storage *storage, larch_flash *flash, larch_bytes file)
{
    larch_storage s = *storage;
    larch_state_head head, found;
    larch_store_fault fault;
    char faulty[LARCH_STORAGE_NAME_MAX + 1];
    larch_flash_put(flash, LARCH_STATE_HEAD_NAME, file);
    larch_error e = larch_state_head_load(storage, &head, &fault);
    require((e == LARCH_OK) == (fault == LARCH_STORE_NONE));
    require((e == LARCH_OK) == (head.start > 0));
    if (e == LARCH_OK)
        require(larch_state_head_save(storage, &head) == LARCH_OK);
    require(larch_bytes_equal(larch_flash_look(flash, LARCH_STATE_HEAD_NAME), file));

    larch_error started = larch_state_start(&s, 1, NULL, &found, faulty, &fault);
    require((started == LARCH_OK) == (e == LARCH_OK && head.start < UINT32_MAX));
    require((started == LARCH_OK) == (faulty[0] == '\0') && found.start == head.start);
    if (started == LARCH_OK)
        require(s.start == head.start + 1);
    else
        require(s.start == storage->start && larch_bytes_equal(larch_flash_look(flash, LARCH_STATE_HEAD_NAME), file));
}

static void check_record(const larch_storage *storage, larch_flash *flash, larch_record_kind kind, larch_bytes file)
{
    uint8_t out[LARCH_RECORD_MAX];
    size_t len;
    larch_store_fault fault;
    larch_error e = larch_record_read(storage, SET_NAME, kind, out, sizeof out, &len, &fault);
    require((e == LARCH_OK) == (fault == LARCH_STORE_NONE));
    if (e != LARCH_OK)
        return;
    require(larch_record_write(storage, "again.rec", kind, (larch_bytes){out, len}, 0) == LARCH_OK);
    larch_bytes again = larch_flash_look(flash, "again.rec");
    require(again.len <= file.len && memcmp(again.data, file.data, again.len) == 0);
}

static void check_ring(const larch_storage *storage, larch_flash *flash, larch_bytes file)
{
    larch_key_ring ring;
    larch_store_fault fault;
    larch_error e = larch_key_ring_load(storage, 512, &ring, &fault);
    require((e == LARCH_OK) == (fault == LARCH_STORE_NONE));
    require((e == LARCH_OK) == (ring.present.generation > 0));
    if (e != LARCH_OK || file.len == RING_SIZE) {
        require(e != LARCH_OK || larch_key_ring_save(storage, &ring) == LARCH_OK);
        require(larch_bytes_equal(larch_flash_look(flash, RING_NAME), file));
        return;
    }
    /* Of an older version, without what is left of the grace: in its new form it says the same. */
    larch_key_ring again;
    require(ring.grace_left_ms == (ring.previous.generation > 0 ? LARCH_GRACE_UNKNOWN : 0) && ring.grace_unix_ms == 0);
    require(file.len == RING_SIZE - 16 && larch_key_ring_save(storage, &ring) == LARCH_OK);
    require(larch_key_ring_load(storage, 512, &again, &fault) == LARCH_OK);
    require(again.present.generation == ring.present.generation && again.grace_left_ms == ring.grace_left_ms);
    require(again.previous.generation == ring.previous.generation && again.grace_unix_ms == 0);
    require(memcmp(again.previous.seed, ring.previous.seed, sizeof ring.previous.seed) == 0);
}

static void check_set(const larch_storage *storage, larch_flash *flash, larch_bytes file)
{
    static uint64_t slots[SLOTS];
    larch_replay_set rs;
    larch_store_fault fault;
    uint32_t needed;
    larch_error e = larch_replay_set_open(&rs, storage, 512, 1, slots, SLOTS, &needed, &fault);
    require((e == LARCH_OK || e == LARCH_SPACE) == (fault == LARCH_STORE_NONE));
    require((e == LARCH_SPACE) == (needed > SLOTS));
    larch_bytes mended = larch_flash_look(flash, SET_NAME);
    require(mended.len == file.len);
    if (e != LARCH_OK) {
        require(larch_bytes_equal(mended, file));
        return;
    }

    /* Every mark is in the set; nothing but holes was written to. */
    for (size_t at = MARKS_START; at < file.len; at += 16) {
        uint64_t tag = 0;
        for (size_t i = 0; i < 8; i++)
            tag = tag << 8 | file.data[at + i];
        if (memcmp(file.data + at, mended.data + at, 16) == 0)
            require(at >= MARKS_START + (size_t)rs.used * 16 || larch_replay_set_contains(&rs, tag));
        else
            require(tag == UINT64_MAX && at < MARKS_START + (size_t)rs.used * 16);
    }
    require(memcmp(file.data, mended.data, MARKS_START) == 0);

    uint32_t used = rs.used;
    larch_error added = larch_replay_set_add(&rs, 0x1234567890abcdef);
    require(added == LARCH_OK || added == LARCH_REPLAY || added == LARCH_SPENT);
    require(larch_replay_set_commit(&rs) == LARCH_OK);
    require(larch_replay_set_open(&rs, storage, 512, 1, slots, SLOTS, &needed, &fault) == LARCH_OK);
    require(rs.used == used + (added == LARCH_OK));
    require(added == LARCH_SPENT || larch_replay_set_contains(&rs, 0x1234567890abcdef));
}

/* The stamps of a start: what is not stamped is left alone, what is lags when it is put back, and marks stay. */
static void check_stamps(const larch_storage *storage, larch_flash *flash, const char *name, larch_bytes file)
{
    larch_stamp_name names[1], faulty;
    larch_store_fault fault;
    larch_state_head head = {.start = UINT32_MAX - 2};
    larch_storage s = *storage;
    memcpy(names[0], name, strlen(name) + 1);
    larch_flash_put(flash, name, file);
    if (strcmp(name, RING_NAME) == 0 && /* a ring beside a journal is not missing */
        larch_stamp_check(&s, names, 1, &head, faulty, &fault) != LARCH_OK)
        return;
    s.start = head.start + 1;
    require(larch_state_head_save(&s, &(larch_state_head){.start = s.start}) == LARCH_OK);
    const larch_error e = larch_stamp_complete(&s, names, 1, faulty, &fault);
    const larch_bytes now = larch_flash_look(flash, name);
    require(now.len == file.len);
    if (e != LARCH_OK || larch_bytes_equal(now, file)) {
        require(larch_bytes_equal(now, file) && (e == LARCH_OK || fault == LARCH_STORE_DAMAGED));
        return;
    }
    require(file.len <= MARKS_START || file.data[5] != LARCH_RECORD_REPLAY ||
            memcmp(now.data + MARKS_START, file.data + MARKS_START, file.len - MARKS_START) == 0);
    larch_flash_put(flash, name, file);
    head.start = head.complete = s.start;
    const larch_error old = larch_stamp_check(&s, names, 1, &head, faulty, &fault);
    require(old == LARCH_STATE || (old == LARCH_MALFORMED && fault == LARCH_STORE_LAGS));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t content[FILE_MAX];
    if (size == 0 || size - 1 > sizeof content)
        return 0;
    larch_bytes file = {content, size - 1};
    if (file.len > 0)
        memcpy(content, data + 1, file.len);
    if ((data[0] & 1) != 0)
        repair_record(content, file.len);
    if ((data[0] & 2) != 0)
        repair_marks(content, file.len);

    larch_flash flash;
    larch_flash_init(&flash, size);
    larch_storage storage = larch_flash_storage(&flash);
    larch_flash_put(&flash, RING_NAME, file);
    larch_flash_put(&flash, SET_NAME, file);
    storage.start = start_of(file);
    for (int kind = LARCH_RECORD_KEYS; kind <= LARCH_RECORD_HEAD; kind++) {
        check_record(&storage, &flash, (larch_record_kind)kind, file);
        check_start(&storage, (larch_record_kind)kind);
    }
    check_head(&storage, &flash, file);
    check_ring(&storage, &flash, file);
    check_set(&storage, &flash, file);
    check_stamps(&storage, &flash, RING_NAME, file);
    check_stamps(&storage, &flash, SET_NAME, file);
    larch_flash_free(&flash);
    return 0;
}
