/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/rotate.h"

#include <stdlib.h>
#include <string.h>

#include "keys/change.h"
#include "larch/identity.h"
#include "system.h"

typedef struct rotation {
    const keys_options *options;
    set_view *views; /* of all sets */
    bool is_online;
} rotation;

/* ---- by this process --------------------------------------------------------- */

/* The marks of new keys take the room that those of the present ones have. */
static uint32_t slots_of(const set_view views[LARCH_DIRECT_SETS])
{
    uint32_t slots = KEYS_SLOTS_MIN;
    for (size_t i = 0; i < LARCH_DIRECT_SETS; i++) {
        if (views[i].present.slots > slots)
            slots = views[i].present.slots;
        if (views[i].previous.slots > slots)
            slots = views[i].previous.slots;
    }
    return slots;
}

static larch_exit rotate_with(larch_posix_storage *files, const larch_direct_config *config)
{
    static larch_direct_service direct; /* too large for a stack */
    char file[LARCH_STORAGE_NAME_MAX + 1];
    larch_store_fault fault;
    const uint64_t now_ms = larch_posix_now_ms();
    larch_direct_service_init(&direct, config);
    larch_error e = larch_direct_service_load(&direct, now_ms, file, &fault);
    if (e != LARCH_OK && file[0] != '\0')
        return keys_complain_of_file(files, file, fault);
    for (size_t i = 0; e == LARCH_OK && i < LARCH_DIRECT_SETS; i++)
        e = larch_direct_service_rotate(&direct, NULL, now_ms, larch_direct_kem_at(i));
    larch_wipe(&direct, sizeof direct);
    if (e == LARCH_OK)
        e = larch_posix_state_forget_copies(files, config->storage);
    return e == LARCH_OK ? LARCH_EXIT_DONE : larch_app_fail(KEYS_NAME, "%s", larch_posix_storage_error(files));
}

static larch_exit rotate_offline(void *context, keys_start *start)
{
    rotation *r = context;
    const larch_random random = larch_posix_random();
    /* The gateway knows the grace, and begins it at its next start. */
    larch_direct_config config = {.storage = &start->storage,
                                  .random = &random,
                                  .replay_slots = slots_of(r->views),
                                  .grace_ms = UINT64_MAX,
                                  .unix_ms = start->state.unix_ms};
    uint64_t *marks = calloc(2 * LARCH_DIRECT_SETS * (size_t)config.replay_slots, sizeof *marks);
    if (marks == NULL)
        return larch_app_fail(KEYS_NAME, "out of memory");
    for (size_t i = 0; i < 2 * LARCH_DIRECT_SETS; i++)
        config.replay[i / 2][i % 2] = marks + i * config.replay_slots;
    const larch_exit code = rotate_with(&start->files, &config);
    free(marks);
    return code == LARCH_EXIT_DONE ? keys_view_state(r->options, false, r->views) : code;
}

/* Without keys there is nothing to rotate, and none are made. */
static larch_exit look(void *context)
{
    rotation *r = context;
    return keys_view_state(r->options, true, r->views);
}

/* ---- by the gateway that runs ------------------------------------------------ */

static bool take_number(larch_bytes *text, unsigned long *number)
{
    const larch_bytes word = larch_control_take_word(text);
    char digits[12];
    if (word.len >= sizeof digits)
        return false;
    memcpy(digits, word.data, word.len);
    digits[word.len] = '\0';
    return larch_app_number(digits, 1, UINT32_MAX, number);
}

/* "512 2 larch1:...", as a gateway lists its keys. */
static bool take_key(larch_bytes text, set_view views[LARCH_DIRECT_SETS])
{
    larch_fingerprint fingerprint;
    unsigned long set, generation;
    if (!take_number(&text, &set) || !take_number(&text, &generation) ||
        larch_fingerprint_parse(text, &fingerprint) != LARCH_OK)
        return false;
    for (size_t i = 0; i < LARCH_DIRECT_SETS; i++) {
        if (larch_direct_kem_at(i)->set != set)
            continue;
        views[i].present.generation = (uint32_t)generation;
        memcpy(views[i].present.fingerprint, text.data, text.len);
        return true;
    }
    return false;
}

static larch_exit take_line(void *context, larch_bytes text)
{
    rotation *r = context;
    if (!r->is_online)
        memset(r->views, 0, LARCH_DIRECT_SETS * sizeof *r->views);
    r->is_online = true;
    return take_key(text, r->views) ? LARCH_EXIT_DONE
                                    : larch_app_fail(KEYS_NAME, "the reply of the running gateway cannot be read");
}

/* ---- both -------------------------------------------------------------------- */

larch_exit keys_rotate(const keys_options *options, set_view views[LARCH_DIRECT_SETS])
{
    rotation r = {.options = options, .views = views};
    const keys_change change = {.context = &r,
                                .words = {LARCH_TEXT("rotate")},
                                .count = 1,
                                .take = take_line,
                                .look = look,
                                .make = rotate_offline,
                                .done = "rotated"};
    return keys_change_folder(options, &change);
}
