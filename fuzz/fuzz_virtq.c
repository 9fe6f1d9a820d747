/* SPDX-License-Identifier: Apache-2.0 */
/* A device that fills the used ring with what comes: what the driver takes, it had offered, and no longer than that. */
#include <string.h>

#include "fuzz.h"
#include "qemu_virt/virtio.h"

/* Commands of one byte: the upper bit offers buffer b2..b0, to be read if b3 is set; else 8 bytes of a used element
 * follow, and the index moves by b1..b0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t memory[LARCH_VIRTQ_LEN][4];
    static larch_virtq q;
    size_t room[LARCH_VIRTQ_LEN] = {0};
    bool lent[LARCH_VIRTQ_LEN] = {false}, broken = false;
    larch_reader r = larch_reader_of((larch_bytes){data, size});
    uint8_t command;

    memset(&q, 0, sizeof q);
    while (larch_reader_take_u8(&r, &command) == LARCH_OK) {
        uint16_t id = command % LARCH_VIRTQ_LEN;
        uint32_t used_id, used_len;
        size_t written;
        if ((command & 0x80) != 0 && !lent[id]) {
            lent[id] = true;
            room[id] = (command & 8) != 0 ? 0 : 1 + command % 4u;
            if (room[id] == 0)
                larch_virtq_offer_bytes(&q, id, (larch_bytes){memory[id], 4});
            else
                larch_virtq_offer_room(&q, id, memory[id], room[id]);
        } else if ((command & 0x80) == 0 && larch_reader_take_u32(&r, &used_id) == LARCH_OK &&
                   larch_reader_take_u32(&r, &used_len) == LARCH_OK) {
            q.used.ring[q.used.index % LARCH_VIRTQ_LEN].id = used_id;
            q.used.ring[q.used.index % LARCH_VIRTQ_LEN].len = used_len;
            q.used.index = (uint16_t)(q.used.index + command % 4u);
        }
        larch_error error;
        while ((error = larch_virtq_take(&q, &id, &written)) == LARCH_OK) {
            require(!broken && id < LARCH_VIRTQ_LEN && lent[id] && written <= room[id]);
            lent[id] = false;
        }
        require(error == LARCH_PLATFORM || (error == LARCH_AGAIN && !broken));
        broken = error == LARCH_PLATFORM;
    }
    return 0;
}
