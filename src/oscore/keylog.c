/* SPDX-License-Identifier: Apache-2.0 */
/* Built with LARCH_KEYLOG alone: what stands here writes secrets as text. */
#include "oscore_int.h"

#if !LARCH_KEYLOG
#error "keylog.c is for builds with LARCH_KEYLOG"
#endif

static void put_hex(larch_writer *w, larch_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    larch_writer_put_u8(w, '"');
    for (size_t i = 0; i < bytes.len; i++) {
        larch_writer_put_u8(w, (uint8_t)digits[bytes.data[i] >> 4]);
        larch_writer_put_u8(w, (uint8_t)digits[bytes.data[i] & 15]);
    }
    larch_writer_put_text(w, "\",");
}

larch_error larch_oscore_keylog_put(larch_writer *w, const larch_oscore_parameters *p)
{
    const bool has_context = p->id_context.data != NULL;
    if (p->hash != LARCH_COSE_SHA_256 || (has_context && p->id_context.len == 0))
        return LARCH_STATE;
    put_hex(w, p->sender_id);
    put_hex(w, p->recipient_id);
    put_hex(w, p->master_secret);
    put_hex(w, p->master_salt);
    put_hex(w, has_context ? p->id_context : (larch_bytes){NULL, 0});
    larch_writer_put_u8(w, '"');
    larch_writer_put_text(w, p->aead->name);
    if (p->aead->number == LARCH_COSE_AES_CCM_16_64_128)
        larch_writer_put_text(w, " (CCM*)"); /* so Wireshark calls it, and it knows no other */
    larch_writer_put_text(w, "\"\n");
    return LARCH_OK;
}
