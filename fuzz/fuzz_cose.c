/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Untrusted bytes as each COSE message, a recipient and a key: what is refused leaves nothing behind; what is taken, and
 * has no parameters that larch does not write, is written again as it was.
 */
#include <string.h>

#include "all_are.h"
#include "fuzz.h"
#include "larch/cbor.h"
#include "larch/cose.h"

#define NOT_WRITTEN (LARCH_COSE_HAS_OTHERS | LARCH_COSE_HAS_CRIT | LARCH_COSE_HAS_CONTENT_TYPE)

static void check_header(const larch_cose_header *h)
{
    require((h->protects & ~h->present) == 0 && (h->protected_map.len > 0) == (h->protects != 0));
    require(((h->present & LARCH_COSE_HAS_ALG) != 0) == (h->alg != 0));
    require((h->present & LARCH_COSE_HAS_IV) == 0 || (h->present & LARCH_COSE_HAS_PARTIAL_IV) == 0);
}

static void put_content(larch_writer *w, const larch_cose_message *m)
{
    if (m->is_detached)
        larch_cbor_put_simple(w, LARCH_CBOR_NULL);
    else
        larch_cbor_put_bytes(w, m->content);
}

/* The header is written from its values, not from the bytes that it was read from, and then is followed by content. */
static void check_front(const larch_cose_message *m, larch_bytes in, size_t at)
{
    static uint8_t out[1 << 16];
    larch_cose_header composed = m->header;
    larch_writer w = larch_writer_to(out, sizeof out);
    check_header(&m->header);
    if ((m->header.present & NOT_WRITTEN) != 0)
        return;
    composed.protected_map.len = 0;
    larch_cose_put_header(&w, &composed);
    put_content(&w, m);
    if (in.len - at >= 2 && memcmp(in.data + at, "\x41\xa0", 2) == 0) /* an empty map is written as nothing */
        return;
    require(w.len <= in.len - at && memcmp(out, in.data + at, w.len) == 0);
}

typedef larch_error parser(larch_bytes in, larch_cose_message *out);

/* tag: bytes of the tag, if there is one. */
static void check(parser *parse, larch_bytes in, size_t tag)
{
    larch_cose_message m;
    const larch_error e = parse(in, &m);
    require(e == LARCH_OK || e == LARCH_MALFORMED || e == LARCH_STATE);
    if (e != LARCH_OK) {
        require(all_are((const uint8_t *)&m, sizeof m, 0));
        return;
    }
    check_front(&m, in, (m.is_tagged ? tag : 0) + 1);
    for (size_t i = 0; i < m.recipient_count; i++) {
        const larch_bytes before = m.recipients.left;
        larch_cose_message recipient;
        if (larch_cose_take_recipient(&m.recipients, &recipient) != LARCH_OK) {
            require(m.recipients.left.data == before.data && m.recipients.left.len == before.len);
            return;
        }
        check_front(&recipient, (larch_bytes){before.data, before.len - m.recipients.left.len}, 1);
    }
    require(m.recipients.left.len == 0);
}

/* What is written of a key is read as that key. */
static void check_key(larch_bytes in)
{
    static uint8_t out[1 << 16], again[1 << 16];
    larch_cose_key key, same;
    const larch_error e = larch_cose_parse_key(in, &key);
    require(e == LARCH_OK || e == LARCH_MALFORMED || e == LARCH_STATE);
    if (e != LARCH_OK) {
        require(all_are((const uint8_t *)&key, sizeof key, 0));
        return;
    }
    larch_writer w = larch_writer_to(out, sizeof out);
    larch_cose_put_key(&w, &key);
    require(w.len <= in.len && larch_cose_parse_key((larch_bytes){out, w.len}, &same) == LARCH_OK);
    larch_writer w2 = larch_writer_to(again, sizeof again);
    larch_cose_put_key(&w2, &same);
    require(w.len == w2.len && memcmp(out, again, w.len) == 0 && key.kty == same.kty && key.alg == same.alg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const larch_bytes in = {data, size};
    if (size > 1 << 15)
        return 0;
    check(larch_cose_parse_encrypt0, in, 1);
    check(larch_cose_parse_encrypt, in, 2);
    check(larch_cose_parse_sign1, in, 1);
    check_key(in);
    return 0;
}
