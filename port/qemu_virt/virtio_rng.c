/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random bytes from the host through virtio-rng [VIRTIO1.1 5.4]. Several tasks may ask at once: each has a place of its
 * own, and whoever looks at the queue delivers for all. A place whose caller lost patience is used again only after the
 * device has given it back.
 */
#include <string.h>

#include "board/board.h"
#include "board/lock.h"

#include "drivers.h"

#define PLACES    4
#define PLACE_LEN 32

enum state { FREE, ASKED, ANSWERED, FORSAKEN };

static larch_virtio device;
static larch_virtq queue;
static struct place {
    uint8_t bytes[PLACE_LEN];
    size_t len;
    enum state state;
} places[PLACES];

void larch_virt_rng_start(larch_virtio found)
{
    uint32_t accepted;
    device.at = 0;
    memset(places, 0, sizeof places);
    if (larch_virtio_start(found, 0, &accepted) != LARCH_OK || larch_virtio_add_queue(found, 0, &queue) != LARCH_OK)
        return;
    larch_virtq_want_interrupt(&queue, false);
    larch_virtio_go(found);
    device = found;
}

/* Locked. LARCH_PLATFORM: the device broke the rules. */
static larch_error collect(void)
{
    larch_error r;
    uint16_t id;
    size_t len;
    while ((r = larch_virtq_take(&queue, &id, &len)) == LARCH_OK) {
        struct place *place = &places[id];
        if (place->state == FORSAKEN)
            larch_wipe(place->bytes, PLACE_LEN);
        place->state = place->state == FORSAKEN ? FREE : ANSWERED;
        place->len = len;
    }
    return r == LARCH_AGAIN ? LARCH_OK : r;
}

/* Locked. NULL: all places are in use. */
static struct place *ask(size_t len)
{
    for (uint16_t id = 0; id < PLACES; id++) {
        if (places[id].state == FREE) {
            places[id].state = ASKED;
            larch_virtq_offer_room(&queue, id, places[id].bytes, len);
            larch_virtio_notify(device, 0);
            return &places[id];
        }
    }
    return NULL;
}

/* At most PLACE_LEN bytes; as many as the device gave. 0: it failed, or let us wait too long. */
static size_t draw(uint8_t *out, size_t len)
{
    uint64_t until = larch_virt_patience();
    struct place *mine = NULL;
    size_t given = 0;
    bool over = false;
    while (!over) {
        bool late = larch_virt_time() > until;
        uint32_t before = larch_interrupts_off();
        if (collect() != LARCH_OK) {
            over = true;
        } else if (mine == NULL) {
            mine = ask(len);
            over = mine == NULL && late;
        } else if (mine->state == ANSWERED) {
            given = mine->len;
            memcpy(out, mine->bytes, given);
            larch_wipe(mine->bytes, PLACE_LEN);
            mine->state = FREE;
            over = true;
        } else if (late) {
            mine->state = FORSAKEN;
            over = true;
        }
        larch_interrupts_back(before);
    }
    return given;
}

larch_error larch_board_random(void *context, uint8_t *out, size_t len)
{
    (void)context;
    for (size_t have = 0; have < len;) {
        size_t left = len - have;
        size_t given = device.at == 0 ? 0 : draw(out + have, left < PLACE_LEN ? left : PLACE_LEN);
        if (given == 0) {
            larch_wipe(out, len);
            return LARCH_PLATFORM;
        }
        have += given;
    }
    return LARCH_OK;
}
