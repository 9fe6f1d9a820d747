/* SPDX-License-Identifier: Apache-2.0 */
/* The log of last readings, as a damaged disk may give it back: what is taken is written the same again, and of each
 * path the memory that the log makes shows what stood there last. */
#include <string.h>

#include "fuzz.h"
#include "registry/last.h"

static void check_shown(const larch_last *last, larch_bytes path, const larch_outbox_last_reading *want)
{
    larch_outbox_last_reading got;
    require(larch_last_get(last, path, &got) == LARCH_OK);
    require(got.time_ms == want->time_ms && got.format == want->format && larch_bytes_equal(got.device, want->device) &&
            larch_bytes_equal(got.text, want->text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t again[1 << 17];
    larch_last last;
    larch_reader reader = larch_reader_of((larch_bytes){data, size});
    require(larch_last_init(&last));
    while (reader.left.len > 0) {
        const larch_reader before = reader;
        larch_outbox_last_reading reading;
        larch_bytes path;
        if (larch_last_entry_take(&reader, &path, &reading) != LARCH_OK) {
            require(reader.left.len == before.left.len);
            require(larch_last_load(&last, before.left, last.next + before.left.len) == LARCH_MALFORMED);
            break;
        }
        const larch_bytes entry = {before.left.data, before.left.len - reader.left.len};
        larch_writer writer = larch_writer_to(again, sizeof again);
        larch_last_entry_put(&writer, path, &reading);
        require(writer.len == entry.len && memcmp(again, entry.data, entry.len) == 0);
        require(larch_last_load(&last, entry, last.next + entry.len) == LARCH_OK);
        check_shown(&last, path, &reading);
    }
    larch_last_free(&last);
    return 0;
}
