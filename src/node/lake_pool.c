/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Half-open handshakes. A prefix (on the receiving interface's link: an address) has a share of the places, and when it
 * has all of that, a new handshake takes the place of its own oldest one. So no prefix closes the pool for another. An
 * answered handshake, whose place keeps message_4 for copies of message_3, is not half open any more: it has a share of
 * its own, and gives way to others.
 */
#include "node/lake_service_int.h"

#if LARCH_SERVER_SESSIONS

#include <string.h>

#define SHARES  8    /* that the places are divided into */
#define HOLD_MS 4000 /* a place that was used since is left alone: its handshake may still go on */
#define DRAWS   32   /* of a C_R */

_Static_assert(offsetof(larch_lake_place_psk, answer) == offsetof(larch_lake_place_44, answer) &&
                   offsetof(larch_lake_place_psk, answer) == offsetof(larch_lake_place_87, answer),
               "places differ in the length of their answers alone");

static uint8_t *place_at(const larch_lake_service *lake, size_t i)
{
    return (uint8_t *)lake->config.places + i * lake->config.place_size;
}

larch_lake_session *larch_lake_session_at(const larch_lake_service *lake, size_t i)
{
    return (larch_lake_session *)(void *)place_at(lake, i);
}

static uint16_t *answer_len_at(const larch_lake_service *lake, size_t i)
{
    return (uint16_t *)(void *)(place_at(lake, i) + offsetof(larch_lake_place_psk, answer_len));
}

larch_bytes larch_lake_answer_at(const larch_lake_service *lake, size_t i)
{
    return (larch_bytes){place_at(lake, i) + offsetof(larch_lake_place_psk, answer), *answer_len_at(lake, i)};
}

larch_writer larch_lake_answer_writer(const larch_lake_service *lake, size_t i)
{
    return larch_writer_to(place_at(lake, i) + offsetof(larch_lake_place_psk, answer), lake->config.answer_size);
}

void larch_lake_set_answer(const larch_lake_service *lake, size_t i, size_t len)
{
    *answer_len_at(lake, i) = (uint16_t)len;
}

/* ---- finding ---------------------------------------------------------------- */

static bool is_in_use(const larch_lake_half *half, uint64_t now_ms) { return half->until_ms > now_ms; }

static bool has_id(const larch_lake_half *half, larch_bytes id)
{
    return larch_bytes_equal((larch_bytes){half->c_r.bytes, half->c_r.len}, id);
}

size_t larch_lake_pool_find(const larch_lake_service *lake, uint64_t now_ms, larch_bytes c_r, uint64_t address)
{
    const larch_lake_half *halves = lake->config.halves;
    size_t i = 0;
    while (i < lake->config.place_count &&
           !(is_in_use(&halves[i], now_ms) && halves[i].address == address && has_id(&halves[i], c_r)))
        i++;
    return i;
}

size_t larch_lake_pool_find_copy(const larch_lake_service *lake, uint64_t now_ms, uint64_t message, uint64_t address)
{
    const larch_lake_half *halves = lake->config.halves;
    size_t i = 0;
    while (i < lake->config.place_count &&
           !(is_in_use(&halves[i], now_ms) && halves[i].message == message && halves[i].address == address))
        i++;
    return i;
}

/* ---- claiming ----------------------------------------------------------------- */

/* What a claim finds in the pool; each is an index, or place_count. */
typedef struct lake_claim {
    size_t open;
    size_t half, half_count; /* of the owner's half-open ones the oldest */
    size_t done, done_count; /* of the owner's answered ones the oldest */
    size_t other;            /* an answered one of another owner */
} lake_claim;

static bool is_idle(const larch_lake_half *half, uint64_t now_ms)
{
    return half->until_ms - LARCH_LAKE_HALF_OPEN_MS + HOLD_MS <= now_ms;
}

static void note_oldest(const larch_lake_service *lake, size_t i, size_t *oldest, size_t *count)
{
    if (*count == 0 || lake->config.halves[i].until_ms < lake->config.halves[*oldest].until_ms)
        *oldest = i;
    ++*count;
}

static lake_claim look_for(const larch_lake_service *lake, uint64_t now_ms, uint64_t owner)
{
    const size_t none = lake->config.place_count;
    lake_claim c = {.open = none, .half = none, .done = none, .other = none};
    for (size_t i = 0; i < none; i++) {
        const larch_lake_half *half = &lake->config.halves[i];
        const bool is_done = half->stage == LAKE_HALF_ANSWERED;
        if (!is_in_use(half, now_ms))
            c.open = i;
        else if (half->owner == owner)
            note_oldest(lake, i, is_done ? &c.done : &c.half, is_done ? &c.done_count : &c.half_count);
        else if (is_done && is_idle(half, now_ms))
            c.other = i;
    }
    return c;
}

size_t larch_lake_pool_claim(larch_lake_service *lake, uint64_t now_ms, uint64_t owner, uint32_t *wait_s)
{
    const size_t none = lake->config.place_count;
    const size_t share = none / SHARES > 0 ? none / SHARES : 1;
    const lake_claim c = look_for(lake, now_ms, owner);
    const size_t idle = c.half != none && is_idle(&lake->config.halves[c.half], now_ms) ? c.half : none;
    size_t claimed = idle;
    if (c.half_count < share && c.done_count >= share)
        claimed = c.done;
    else if (c.half_count < share)
        claimed = c.open != none ? c.open : c.done != none ? c.done : c.other != none ? c.other : idle;
    *wait_s = HOLD_MS / 1000;
    if (claimed != none)
        larch_lake_pool_release(lake, claimed);
    return claimed;
}

void larch_lake_pool_touch(larch_lake_service *lake, uint64_t now_ms, size_t i)
{
    lake->config.halves[i].until_ms = now_ms + LARCH_LAKE_HALF_OPEN_MS;
}

void larch_lake_pool_release(larch_lake_service *lake, size_t i)
{
    larch_wipe(place_at(lake, i), lake->config.place_size);
    memset(&lake->config.halves[i], 0, sizeof lake->config.halves[i]);
}

void larch_lake_pool_expire(larch_lake_service *lake, uint64_t now_ms)
{
    for (size_t i = 0; i < lake->config.place_count; i++)
        if (lake->config.halves[i].until_ms != 0 && !is_in_use(&lake->config.halves[i], now_ms))
            larch_lake_pool_release(lake, i);
}

uint64_t larch_lake_pool_due_ms(const larch_lake_service *lake)
{
    uint64_t due_ms = UINT64_MAX;
    for (size_t i = 0; i < lake->config.place_count; i++) {
        const uint64_t until_ms = lake->config.halves[i].until_ms;
        if (until_ms != 0 && until_ms < due_ms)
            due_ms = until_ms;
    }
    return due_ms;
}

/* ---- C_R ------------------------------------------------------------------------ */

static bool is_taken(const larch_lake_service *lake, uint64_t now_ms, larch_bytes id)
{
    const larch_contexts *contexts = lake->config.contexts;
    for (size_t i = 0; i < lake->config.place_count; i++)
        if (is_in_use(&lake->config.halves[i], now_ms) && has_id(&lake->config.halves[i], id))
            return true;
    return contexts->find(contexts->context, id, (larch_bytes){NULL, 0}) != NULL;
}

larch_error larch_lake_pool_draw_id(const larch_lake_service *lake, uint64_t now_ms, size_t len, larch_bytes c_i,
                                    larch_lake_id *out)
{
    for (unsigned i = 0; i < DRAWS; i++) {
        larch_lake_id id = {.len = (uint8_t)len};
        const larch_error e = larch_random_fill(&lake->config.party->random, id.bytes, len);
        if (e != LARCH_OK)
            return e;
        const larch_bytes drawn = {id.bytes, len};
        if (!larch_bytes_equal(drawn, c_i) && !is_taken(lake, now_ms, drawn)) {
            *out = id;
            return LARCH_OK;
        }
    }
    return LARCH_SPACE;
}

#endif
