/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a device's reading under way. What is read from it is written in the same bytes; a reading made of the input
 * is read back as it was, but not under other keys and not with a byte changed or missing.
 */
#include <string.h>

#include "device/pending.h"
#include "fuzz.h"

static const uint8_t keys[PENDING_KEYS_LEN] = {1, 2, 3, 4, 5, 6, 7, 8};

static void read_file(larch_bytes input)
{
    pending_reading r;
    uint8_t bytes[PENDING_RECORD_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    if (pending_parse(input, keys, &r) != LARCH_OK) {
        require(r.n == 0 && r.len == 0 && r.name[0] == '\0');
        return;
    }
    pending_put(&w, keys, &r);
    require(w.len <= sizeof bytes && w.len <= input.len && memcmp(bytes, input.data, w.len) == 0);
}

static void write_and_read(larch_bytes input)
{
    static const uint8_t other[PENDING_KEYS_LEN] = {1};
    pending_reading r = {.n = 1}, back;
    uint8_t bytes[PENDING_RECORD_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    if (input.len < 3)
        return;
    const size_t name_len = 1 + input.data[0] % LARCH_READING_NAME_MAX;
    for (size_t i = 0; i < name_len; i++)
        r.name[i] = (char)('a' + (input.data[i % input.len] & 15));
    r.n += larch_number_at(input.data, 3);
    r.len = input.len < sizeof r.text ? input.len : sizeof r.text;
    memcpy(r.text, input.data, r.len);
    pending_put(&w, keys, &r);
    require(w.len <= sizeof bytes && pending_parse((larch_bytes){bytes, w.len}, keys, &back) == LARCH_OK);
    require(memcmp(&r, &back, sizeof r) == 0);
    require(pending_parse((larch_bytes){bytes, w.len}, other, &back) == LARCH_STATE);
    require(pending_parse((larch_bytes){bytes, w.len - 1}, keys, &back) == LARCH_MALFORMED);
    bytes[((size_t)input.data[2] << 8 | input.data[1]) % w.len] ^= 1;
    require(pending_parse((larch_bytes){bytes, w.len}, keys, &back) != LARCH_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_file((larch_bytes){data, size});
    write_and_read((larch_bytes){data, size});
    return 0;
}
