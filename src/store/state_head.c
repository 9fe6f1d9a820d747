/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of the state folder, payload of "state.head":
 *
 *     0        2         34            42         46         160
 *    +--------+---------+-------------+----------+----------+
 *    | format | machine | newest time | complete | reserved |
 *    | = 2    |         | Unix, ms    | start    | = 0      |
 *    +--------+---------+-------------+----------+----------+
 *
 * The start counter is that of the record itself: of the start that wrote the head. A start
 * writes the head before it writes anything else, so no sound file is ahead of it.
 *
 * The reserved bytes are for what a later version must know before it reads another file, such
 * as where the key comes from that seals them.
 */
#include <string.h>

#include "store_int.h"

#define HEAD_LEN     160
#define FORMAT_LEN   2
#define NEWEST_LEN   8
#define COMPLETE_LEN 4
#define RESERVED_LEN (HEAD_LEN - FORMAT_LEN - LARCH_STATE_MACHINE_LEN - NEWEST_LEN - COMPLETE_LEN)

_Static_assert(HEAD_LEN <= LARCH_RECORD_MAX, "a head is one record");

/* Whose keys are looked for where there is no head. */
static const uint16_t sets[] = {512, 768, 1024, 25722}; /* the last is X-Wing */

static bool is_zero(larch_bytes bytes)
{
    uint8_t any = 0;
    for (size_t i = 0; i < bytes.len; i++)
        any |= bytes.data[i];
    return any == 0;
}

/* The format comes before all else, because another one may have another length. */
static larch_store_fault parse_head(larch_bytes payload, larch_state_head *head)
{
    const uint8_t *machine = payload.data + FORMAT_LEN;
    const uint8_t *newest = machine + LARCH_STATE_MACHINE_LEN;
    if (payload.len < FORMAT_LEN)
        return LARCH_STORE_KIND;
    if (larch_number_at(payload.data, FORMAT_LEN) != LARCH_STATE_FORMAT)
        return LARCH_STORE_VERSION;
    if (payload.len != HEAD_LEN)
        return LARCH_STORE_KIND;
    memcpy(head->machine, machine, LARCH_STATE_MACHINE_LEN);
    head->newest_ms = larch_number_at(newest, NEWEST_LEN);
    head->complete = (uint32_t)larch_number_at(newest + NEWEST_LEN, COMPLETE_LEN);
    if (!is_zero((larch_bytes){newest + NEWEST_LEN + COMPLETE_LEN, RESERVED_LEN}))
        return LARCH_STORE_VERSION;
    return head->start > 0 ? LARCH_STORE_NONE : LARCH_STORE_DAMAGED;
}

larch_error larch_state_head_load(const larch_storage *storage, larch_state_head *head, larch_store_fault *fault)
{
    uint8_t payload[LARCH_RECORD_MAX];
    size_t len;
    larch_error e = larch_store_read_whole(storage, LARCH_STATE_HEAD_NAME, LARCH_RECORD_HEAD, &head->start, payload,
                                           sizeof payload, &len, fault);
    if (e == LARCH_OK) {
        *fault = parse_head((larch_bytes){payload, len}, head);
        e = larch_store_error(*fault);
    }
    if (e != LARCH_OK)
        memset(head, 0, sizeof *head);
    return e;
}

larch_error larch_state_head_save(const larch_storage *storage, const larch_state_head *head)
{
    uint8_t payload[HEAD_LEN] = {0};
    if (head->start == 0)
        return LARCH_STATE;

    larch_storage of_this_start = *storage;
    of_this_start.start = head->start;
    larch_writer w = larch_writer_to(payload, sizeof payload);
    larch_writer_put_u16(&w, LARCH_STATE_FORMAT);
    larch_writer_put(&w, LARCH_BYTES(head->machine));
    larch_writer_put_u64(&w, head->newest_ms);
    larch_writer_put_u32(&w, head->complete);
    return larch_record_write(&of_this_start, LARCH_STATE_HEAD_NAME, LARCH_RECORD_HEAD, LARCH_BYTES(payload), 0);
}

/* Without a head there must be no keys either: they would be taken for those of this first start. */
static larch_store_fault look_for_keys(const larch_storage *storage, char faulty[LARCH_STORAGE_NAME_MAX + 1])
{
    larch_store_fault all = LARCH_STORE_NONE;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        larch_key_ring ring;
        larch_store_fault fault;
        (void)!larch_key_ring_load(storage, sets[i], &ring, &fault);
        larch_wipe(&ring, sizeof ring);
        if (fault == LARCH_STORE_VERSION || fault == LARCH_STORE_MEDIUM) {
            larch_key_ring_name(sets[i], faulty);
            return fault;
        }
        if (fault != LARCH_STORE_MISSING)
            all = LARCH_STORE_MISSING; /* the head */
    }
    return all;
}

larch_error larch_state_start(larch_storage *storage, uint64_t now_ms, const uint8_t machine[LARCH_STATE_MACHINE_LEN],
                              larch_state_head *found, char faulty[LARCH_STORAGE_NAME_MAX + 1],
                              larch_store_fault *fault)
{
    memcpy(faulty, LARCH_STATE_HEAD_NAME, sizeof LARCH_STATE_HEAD_NAME);
    larch_error e = larch_state_head_load(storage, found, fault);
    if (e == LARCH_STATE) {
        *fault = look_for_keys(storage, faulty);
        e = larch_store_error(*fault);
    }
    if (e != LARCH_OK)
        return e;

    if (found->start == UINT32_MAX) { /* nobody starts a gateway so often */
        *fault = LARCH_STORE_DAMAGED;
        return LARCH_MALFORMED;
    }
    larch_state_head head = *found;
    head.start++;
    if (now_ms > head.newest_ms)
        head.newest_ms = now_ms;
    if (machine != NULL)
        memcpy(head.machine, machine, sizeof head.machine);
    if ((e = larch_state_head_save(storage, &head)) != LARCH_OK) {
        *fault = LARCH_STORE_MEDIUM;
        return e;
    }
    faulty[0] = '\0';
    storage->start = head.start;
    return LARCH_OK;
}
