/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The replay set: an open hash table in memory, and on the medium a journal of
 * fixed size in which every mark is written once, over erased bytes:
 *
 *     0                  512           528
 *    +------------+-----+-------------+-------------+----     ----+------------+
 *    | head       | ff  | mark 0      | mark 1      |     ...     | erased: ff |
 *    +------------+-----+-------------+-------------+----     ----+------------+
 *    head: a record of set u16, generation u32, capacity u32, mark input u8
 *    mark: tag u64, index u32, CRC-32 over set, generation, tag, index
 *
 * The marks start on a sector of their own, so that writing them never touches the head.
 * A head without the last byte is older, and its mark input is LARCH_MARK_INPUT_WHOLE.
 *
 * A power cut keeps or loses each mark since the last sync by itself, so the journal
 * may end in holes. Marks are written in order and at most STRETCH ahead of a sync:
 * a hole is no older than that, and an older one is damage. Opening closes the
 * holes, so that they do not grow old.
 */
#include <string.h>

#include "store_int.h"

#define HEAD_LEN      11
#define OLD_HEAD_LEN  10
#define MARKS_START   512
#define MARK_LEN      LARCH_STORAGE_ATOM
#define TAG_LEN       8
#define CRC_AT        12
#define STRETCH       512 /* part of the format: a reader relies on what the writer kept to */
#define SLOTS_MIN     UINT32_C(16)
#define SLOTS_MAX     (UINT32_C(1) << 28) /* the journal stays below 2^32 bytes */
#define OFFSET(index) (MARKS_START + (uint32_t)(index)*MARK_LEN)

_Static_assert(LARCH_REPLAY_BATCH > 0 && LARCH_REPLAY_BATCH <= STRETCH, "a batch fits between two syncs");
_Static_assert(LARCH_RECORD_OVERHEAD + HEAD_LEN <= MARKS_START, "the head ends before the marks");
_Static_assert(sizeof(larch_replay_set) <= LARCH_REPLAY_BATCH * LARCH_STORAGE_ATOM + 96, "RAM budget");

/* ---- numbers and names ------------------------------------------------- */

uint32_t larch_replay_set_capacity(uint32_t slot_count) { return slot_count - slot_count / 16; }

static bool slot_count_is_allowed(uint32_t slot_count)
{
    return slot_count >= SLOTS_MIN && slot_count <= SLOTS_MAX && (slot_count & (slot_count - 1)) == 0;
}

static uint32_t slots_for(uint32_t capacity)
{
    uint32_t slot_count = SLOTS_MIN;
    while (larch_replay_set_capacity(slot_count) < capacity)
        slot_count *= 2;
    return slot_count;
}

void larch_replay_set_name(uint16_t set, uint32_t generation, char name[LARCH_STORAGE_NAME_MAX + 1])
{
    larch_writer w = larch_writer_to((uint8_t *)name, LARCH_STORAGE_NAME_MAX + 1);
    larch_writer_put_text(&w, "replay-");
    larch_writer_put_decimal(&w, set);
    larch_writer_put_u8(&w, '-');
    larch_writer_put_decimal(&w, generation);
    larch_writer_put(&w, LARCH_TEXT(".log\0"));
}

/* ---- table ------------------------------------------------------------- */

/* The slot of a tag, or the empty one where it belongs. Ends because the table is never
 * full; starts at the tag itself because tags are keyed hashes, spread evenly. */
static uint64_t *find_slot(const larch_replay_set *rs, uint64_t tag)
{
    uint32_t mask = rs->slot_count - 1;
    uint32_t i = (uint32_t)tag & mask;
    while (rs->slots[i] != 0 && rs->slots[i] != tag)
        i = (i + 1) & mask;
    return &rs->slots[i];
}

/* 0 marks an empty slot, so tag 0 goes by the name of 1: one more chance in 2^64 to refuse. */
static uint64_t usable(uint64_t tag) { return tag != 0 ? tag : 1; }

/* ---- marks ------------------------------------------------------------- */

/* What the checksum of every mark of this journal begins with: a mark is worth nothing elsewhere. */
static uint32_t crc_of_journal(const larch_replay_set *rs)
{
    uint8_t front[6];
    larch_writer w = larch_writer_to(front, sizeof front);
    larch_writer_put_u16(&w, rs->set);
    larch_writer_put_u32(&w, rs->generation);
    return larch_crc32(0, LARCH_BYTES(front));
}

/* Index and checksum behind the tag that stands in mark already. */
static void seal_mark(uint8_t mark[MARK_LEN], uint32_t crc, uint32_t index)
{
    larch_writer w = larch_writer_to(mark + TAG_LEN, MARK_LEN - TAG_LEN);
    larch_writer_put_u32(&w, index);
    larch_writer_put_u32(&w, larch_crc32(crc, (larch_bytes){mark, CRC_AT}));
}

static bool mark_is_erased(const uint8_t mark[MARK_LEN])
{
    for (size_t i = 0; i < MARK_LEN; i++) {
        if (mark[i] != LARCH_STORAGE_ERASED)
            return false;
    }
    return true;
}

static bool mark_is_sound(const uint8_t mark[MARK_LEN], uint32_t crc, uint32_t index)
{
    uint8_t expected[MARK_LEN];
    memcpy(expected, mark, TAG_LEN);
    seal_mark(expected, crc, index);
    return memcmp(mark, expected, MARK_LEN) == 0;
}

/* ---- journal ----------------------------------------------------------- */

static larch_error sync_marks(larch_replay_set *rs)
{
    larch_error e = rs->storage->sync(rs->storage->context, rs->name);
    if (e == LARCH_OK)
        rs->durable = rs->written;
    return e;
}

/* Hands the batch to the storage. */
static larch_error write_batch(larch_replay_set *rs)
{
    larch_error e;
    uint32_t count = rs->used - rs->written;
    if (count == 0)
        return LARCH_OK;
    if (rs->used - rs->durable > STRETCH && (e = sync_marks(rs)) != LARCH_OK)
        return e;

    uint32_t crc = crc_of_journal(rs);
    for (uint32_t i = 0; i < count; i++)
        seal_mark(rs->batch + (size_t)i * MARK_LEN, crc, rs->written + i);
    larch_bytes marks = {rs->batch, (size_t)count * MARK_LEN};
    if ((e = rs->storage->write(rs->storage->context, rs->name, OFFSET(rs->written), marks)) == LARCH_OK)
        rs->written = rs->used;
    return e;
}

/* A read whose length the file's size has been found to allow. */
static larch_store_fault read_marks(const larch_replay_set *rs, uint32_t index, uint8_t *out, uint32_t count)
{
    larch_error e = rs->storage->read(rs->storage->context, rs->name, OFFSET(index), out, (size_t)count * MARK_LEN);
    return e == LARCH_OK ? LARCH_STORE_NONE : e == LARCH_MALFORMED ? LARCH_STORE_TRUNCATED : LARCH_STORE_MEDIUM;
}

static larch_store_fault load_head(larch_replay_set *rs)
{
    uint8_t head[HEAD_LEN];
    size_t len;
    uint32_t size;
    larch_store_fault fault;
    if (larch_record_read(rs->storage, rs->name, LARCH_RECORD_REPLAY, head, sizeof head, &len, &fault) != LARCH_OK)
        return fault;

    if ((len != HEAD_LEN && len != OLD_HEAD_LEN) || larch_number_at(head, 2) != rs->set ||
        larch_number_at(head + 2, 4) != rs->generation)
        return LARCH_STORE_KIND;
    rs->mark_input = len == HEAD_LEN ? head[OLD_HEAD_LEN] : LARCH_MARK_INPUT_WHOLE;
    if (rs->mark_input != LARCH_MARK_INPUT_WHOLE && rs->mark_input != LARCH_MARK_INPUT_FRONT)
        return LARCH_STORE_VERSION;
    rs->capacity = (uint32_t)larch_number_at(head + 6, 4);
    if (rs->capacity == 0 || rs->capacity > larch_replay_set_capacity(SLOTS_MAX))
        return LARCH_STORE_DAMAGED;
    if (rs->storage->size(rs->storage->context, rs->name, &size) != LARCH_OK)
        return LARCH_STORE_MEDIUM;
    if (size < OFFSET(rs->capacity))
        return LARCH_STORE_TRUNCATED;
    return size == OFFSET(rs->capacity) ? LARCH_STORE_NONE : LARCH_STORE_DAMAGED;
}

/* Reads the journal into the table, or past it if it is too small. Then used counts all
 * places up to the last mark, durable those before the first hole. */
static larch_store_fault load_journal(larch_replay_set *rs)
{
    larch_store_fault fault = load_head(rs);
    if (fault != LARCH_STORE_NONE)
        return fault;

    bool fits = slots_for(rs->capacity) <= rs->slot_count;
    uint32_t crc = crc_of_journal(rs);
    uint32_t first_hole = LARCH_STORAGE_NONE;
    uint32_t chunk = 0;
    for (uint32_t index = 0; index < rs->capacity; index++) {
        if (index % LARCH_REPLAY_BATCH == 0) {
            chunk = rs->capacity - index < LARCH_REPLAY_BATCH ? rs->capacity - index : LARCH_REPLAY_BATCH;
            if ((fault = read_marks(rs, index, rs->batch, chunk)) != LARCH_STORE_NONE)
                return fault;
        }
        const uint8_t *mark = rs->batch + (size_t)(index % LARCH_REPLAY_BATCH) * MARK_LEN;
        if (mark_is_erased(mark)) {
            if (first_hole == LARCH_STORAGE_NONE)
                first_hole = index;
            continue;
        }
        if (!mark_is_sound(mark, crc, index) || (first_hole < index && index + 1 - first_hole > STRETCH))
            return LARCH_STORE_DAMAGED;
        rs->used = index + 1;
        uint64_t tag = usable(larch_number_at(mark, TAG_LEN));
        if (fits)
            *find_slot(rs, tag) = tag;
    }
    rs->written = rs->used;
    rs->durable = first_hole < rs->used ? first_hole : rs->used;
    return LARCH_STORE_NONE;
}

/* Closes each hole with a copy of the last tag, and makes durable what was loaded: it
 * may have been written by a process that ended before its sync. */
static larch_store_fault mend_journal(larch_replay_set *rs)
{
    uint8_t last[MARK_LEN];
    uint8_t mark[MARK_LEN];
    larch_store_fault fault;
    if (rs->used == 0)
        return LARCH_STORE_NONE;
    if ((fault = read_marks(rs, rs->used - 1, last, 1)) != LARCH_STORE_NONE)
        return fault;

    uint32_t crc = crc_of_journal(rs);
    for (uint32_t index = rs->durable; index < rs->used; index++) {
        if ((fault = read_marks(rs, index, mark, 1)) != LARCH_STORE_NONE)
            return fault;
        if (!mark_is_erased(mark))
            continue;
        seal_mark(last, crc, index);
        if (rs->storage->write(rs->storage->context, rs->name, OFFSET(index), LARCH_BYTES(last)) != LARCH_OK)
            return LARCH_STORE_MEDIUM;
    }
    return sync_marks(rs) == LARCH_OK ? LARCH_STORE_NONE : LARCH_STORE_MEDIUM;
}

static larch_error write_empty_journal(const larch_replay_set *rs)
{
    uint8_t head[HEAD_LEN];
    larch_writer w = larch_writer_to(head, sizeof head);
    larch_writer_put_u16(&w, rs->set);
    larch_writer_put_u32(&w, rs->generation);
    larch_writer_put_u32(&w, rs->capacity);
    larch_writer_put_u8(&w, rs->mark_input);
    return larch_record_write(rs->storage, rs->name, LARCH_RECORD_REPLAY, LARCH_BYTES(head),
                              OFFSET(rs->capacity) - LARCH_RECORD_OVERHEAD - HEAD_LEN);
}

/* ---- the set ----------------------------------------------------------- */

static void forget(larch_replay_set *rs) { memset(rs, 0, sizeof *rs); }

static larch_error begin(larch_replay_set *rs, const larch_storage *storage, uint16_t set, uint32_t generation,
                         uint64_t *slots, uint32_t slot_count)
{
    forget(rs);
    if (!slot_count_is_allowed(slot_count))
        return LARCH_STATE;
    rs->storage = storage;
    rs->set = set;
    rs->generation = generation;
    rs->slots = slots;
    rs->slot_count = slot_count;
    larch_replay_set_name(set, generation, rs->name);
    /* Only what is not zero is written: pages that a system has promised but not yet given stay so. */
    for (uint32_t i = 0; i < slot_count; i++)
        if (slots[i] != 0)
            slots[i] = 0;
    return LARCH_OK;
}

larch_error larch_replay_set_create(larch_replay_set *rs, const larch_storage *storage, uint16_t set,
                                    uint32_t generation, uint64_t *slots, uint32_t slot_count)
{
    larch_error e = begin(rs, storage, set, generation, slots, slot_count);
    if (e != LARCH_OK)
        return e;

    larch_store_fault fault = load_journal(rs);
    if (fault == LARCH_STORE_MISSING || (fault == LARCH_STORE_NONE && rs->used == 0)) {
        rs->capacity = larch_replay_set_capacity(slot_count);
        rs->mark_input = LARCH_MARK_INPUT_FRONT;
        e = write_empty_journal(rs);
    } else {
        e = fault == LARCH_STORE_MEDIUM ? LARCH_PLATFORM : LARCH_STATE;
    }
    if (e != LARCH_OK)
        forget(rs);
    return e;
}

larch_error larch_replay_set_open(larch_replay_set *rs, const larch_storage *storage, uint16_t set, uint32_t generation,
                                  uint64_t *slots, uint32_t slot_count, uint32_t *slots_needed,
                                  larch_store_fault *fault)
{
    *slots_needed = 0;
    *fault = LARCH_STORE_NONE;
    larch_error e = begin(rs, storage, set, generation, slots, slot_count);
    if (e != LARCH_OK)
        return e;

    *fault = load_journal(rs);
    if (*fault == LARCH_STORE_NONE && slots_for(rs->capacity) > slot_count) {
        *slots_needed = slots_for(rs->capacity);
        forget(rs);
        return LARCH_SPACE;
    }
    if (*fault == LARCH_STORE_NONE)
        *fault = mend_journal(rs);
    if (*fault != LARCH_STORE_NONE)
        forget(rs);
    return larch_store_error(*fault);
}

bool larch_replay_set_contains(const larch_replay_set *rs, uint64_t tag)
{
    return rs->slot_count > 0 && *find_slot(rs, usable(tag)) != 0;
}

larch_error larch_replay_set_reserve(larch_replay_set *rs, uint64_t tag)
{
    tag = usable(tag);
    uint64_t *slot = rs->slot_count > 0 ? find_slot(rs, tag) : NULL;
    if (slot != NULL && *slot != 0)
        return LARCH_REPLAY;
    if (slot == NULL || larch_replay_set_is_full(rs))
        return LARCH_SPENT;
    rs->reserved++;
    *slot = tag;
    return LARCH_OK;
}

larch_error larch_replay_set_keep(larch_replay_set *rs, uint64_t tag)
{
    larch_error e;
    tag = usable(tag);
    if (rs->reserved == 0 || !larch_replay_set_contains(rs, tag))
        return LARCH_STATE;
    if (rs->used - rs->written == LARCH_REPLAY_BATCH && (e = write_batch(rs)) != LARCH_OK)
        return e;
    larch_writer w = larch_writer_to(rs->batch + (size_t)(rs->used - rs->written) * MARK_LEN, TAG_LEN);
    larch_writer_put_u64(&w, tag);
    rs->used++;
    rs->reserved--;
    return LARCH_OK;
}

/* Takes a tag out of the table: what stands behind it moves up, so that a search for it does not end at the gap. */
void larch_replay_set_release(larch_replay_set *rs, uint64_t tag)
{
    if (rs->reserved == 0 || !larch_replay_set_contains(rs, tag))
        return;
    const uint32_t mask = rs->slot_count - 1;
    uint32_t gap = (uint32_t)(find_slot(rs, usable(tag)) - rs->slots);
    for (uint32_t i = (gap + 1) & mask; rs->slots[i] != 0; i = (i + 1) & mask) {
        const uint32_t home = (uint32_t)rs->slots[i] & mask;
        if (((i - home) & mask) < ((i - gap) & mask))
            continue; /* it belongs behind the gap */
        rs->slots[gap] = rs->slots[i];
        gap = i;
    }
    rs->slots[gap] = 0;
    rs->reserved--;
}

larch_error larch_replay_set_add(larch_replay_set *rs, uint64_t tag)
{
    larch_error e = larch_replay_set_reserve(rs, tag);
    if (e == LARCH_OK && (e = larch_replay_set_keep(rs, tag)) != LARCH_OK)
        larch_replay_set_release(rs, tag);
    return e;
}

larch_error larch_replay_set_commit(larch_replay_set *rs)
{
    larch_error e = write_batch(rs);
    return e != LARCH_OK || rs->durable == rs->written ? e : sync_marks(rs);
}

bool larch_replay_set_is_nearly_full(const larch_replay_set *rs)
{
    return rs->used + rs->reserved >= rs->capacity - rs->capacity / 8;
}

bool larch_replay_set_is_full(const larch_replay_set *rs) { return rs->used + rs->reserved >= rs->capacity; }

larch_error larch_replay_set_remove(larch_replay_set *rs)
{
    larch_error e = LARCH_OK;
    if (rs->storage != NULL)
        e = rs->storage->remove(rs->storage->context, rs->name);
    forget(rs);
    return e;
}

larch_error larch_replay_set_discard(const larch_storage *storage, uint16_t set, uint32_t generation)
{
    char name[LARCH_STORAGE_NAME_MAX + 1];
    larch_replay_set_name(set, generation, name);
    return storage->remove(storage->context, name);
}
