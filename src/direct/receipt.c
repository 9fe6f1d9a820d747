/* SPDX-License-Identifier: Apache-2.0 */
/* What proves that an answer comes from the holder of the key that a message was sealed to. */
#include "direct/direct_int.h"

larch_error larch_direct_receipt_make(const larch_direct_receipt *receipt, uint8_t code,
                                      uint8_t tag[LARCH_DIRECT_TAG_LEN])
{
    const larch_bytes pieces[] = {{&code, 1}, LARCH_BYTES(receipt->message_hash)};
    return larch_direct_make_tag(receipt->key, pieces, 2, tag);
}

larch_error larch_direct_receipt_check(const larch_direct_receipt *receipt, uint8_t code, larch_bytes tag)
{
    uint8_t expected[LARCH_DIRECT_TAG_LEN];
    if (tag.len != sizeof expected)
        return LARCH_MALFORMED;
    larch_error e = larch_direct_receipt_make(receipt, code, expected);
    if (e == LARCH_OK && !larch_ct_equal(expected, tag.data, sizeof expected))
        e = LARCH_AUTH;
    larch_wipe(expected, sizeof expected);
    return e;
}
