/* SPDX-License-Identifier: Apache-2.0 */
/* The state beside a context file. What is read is exactly what would be written, and within its bounds; what is
 * refused changes nothing. An input ends in its checksum, which the harness mends if the first byte asks for it. */
#include <string.h>

#include "common/context_state.h"
#include "fuzz.h"
#include "text/text.h"

enum { CHECK_LEN = 9 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t bytes[LARCH_CONTEXT_RECORD_MAX + 8], again[LARCH_CONTEXT_RECORD_MAX];
    larch_context_record record, before;
    if (size < 1 || size - 1 > sizeof bytes)
        return 0;
    size--;
    memcpy(bytes, data + 1, size);
    if (data[0] != 0 && size > CHECK_LEN) {
        const size_t len = size - CHECK_LEN;
        larch_writer w = larch_writer_to(bytes + len, CHECK_LEN);
        larch_text_put_digits(&w, larch_crc32(0, (larch_bytes){bytes, len}), 16, 8);
        larch_text_put(&w, "\n");
    }
    memset(&record, 0xa5, sizeof record);
    memset(&before, 0xa5, sizeof before);
    const larch_error e = larch_context_record_parse((larch_bytes){bytes, size}, &record);
    if (e != LARCH_OK) {
        require(e == LARCH_MALFORMED || (e == LARCH_STATE && (bytes[14] >= '2' || bytes[15] >= '2')));
        require(memcmp(&record, &before, sizeof record) == 0); /* NOLINT(bugprone-*,cert-*): both filled whole */
        return 0;
    }
    require(record.next <= LARCH_OSCORE_NUMBER_MAX + 1 && record.messages <= LARCH_CONTEXT_MESSAGES_MAX);
    require(record.n >= 1 && record.n <= INT64_MAX);
    larch_writer w = larch_writer_to(again, sizeof again);
    larch_context_record_put(&w, &record);
    require(w.len == size && memcmp(again, bytes, size) == 0);
    return 0;
}
