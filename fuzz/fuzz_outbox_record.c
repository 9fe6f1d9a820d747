/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the outbox, as a damaged disk may give them back: what is taken stays inside, and is written the same again. */
#include <string.h>

#include "fuzz.h"
#include "registry/outbox_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t again[1 << 17];
    larch_reader reader = larch_reader_of((larch_bytes){data, size});
    for (;;) {
        const larch_reader before = reader;
        larch_outbox_message message;
        if (larch_outbox_record_take(&reader, &message) != LARCH_OK) {
            require(reader.left.len == before.left.len);
            return 0;
        }
        larch_writer writer = larch_writer_to(again, sizeof again);
        larch_outbox_record_put(&writer, &message);
        require(larch_outbox_record_fits(&message) && writer.len == before.left.len - reader.left.len);
        require(memcmp(again, before.left.data, writer.len) == 0);
    }
}
