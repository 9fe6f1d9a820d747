/* SPDX-License-Identifier: Apache-2.0 */
/* Built with LARCH_KEYLOG alone: what stands here writes secrets as text.
 *
 *     #LAKE_2 TH_2 PRK_2e TH_3 PRK_3e2m
 *     #LAKE_3 TH_3 PRK_4e3m TH_4 CRED_I|CRED_R           "-" in place of both, except in method 4
 */
#include <string.h>

#include "lake_int.h"
#include "larch/lake_observer.h"

#if !LARCH_KEYLOG
#error "keylog.c is for builds with LARCH_KEYLOG"
#endif

#define LINE_MAX (8 + 6 * (1 + 2 * LAKE_HASH_MAX) + 2 * LARCH_LAKE_LOGGED_CREDS_MAX)

static void put_hex(larch_writer *w, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    larch_writer_put_u8(w, ' ');
    for (size_t i = 0; i < len; i++) {
        larch_writer_put_u8(w, (uint8_t)digits[bytes[i] >> 4]);
        larch_writer_put_u8(w, (uint8_t)digits[bytes[i] & 15]);
    }
}

void larch_lake_keylog_put(larch_writer *w, const larch_lake_secrets *s)
{
    larch_writer_put_text(w, s->after_3 ? "#LAKE_3" : "#LAKE_2");
    put_hex(w, s->th, s->hash_len);
    put_hex(w, s->prk, s->hash_len);
    put_hex(w, s->next_th, s->hash_len);
    if (!s->after_3)
        put_hex(w, s->prk_3e2m, s->hash_len);
    else if (s->creds_len > 0)
        put_hex(w, s->creds, s->creds_len);
    else
        larch_writer_put_text(w, " -");
    larch_writer_put_text(w, "\n");
}

static void log_line(const larch_lake_party *party, const larch_lake_secrets *secrets)
{
    uint8_t line[LINE_MAX];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_lake_keylog_put(&w, secrets);
    if (w.len <= w.cap)
        party->key_log(party->context, (larch_bytes){line, w.len});
    larch_wipe(line, sizeof line);
}

void larch_lake_keylog_2(const larch_lake_party *party, const larch_lake_suite *suite, const uint8_t *th_2,
                         const uint8_t *prk_2e, const uint8_t *th_3, const uint8_t *prk_3e2m)
{
    larch_lake_secrets s = {.hash_len = suite->hash_len};
    if (party->key_log == NULL)
        return;
    memcpy(s.th, th_2, suite->hash_len);
    memcpy(s.prk, prk_2e, suite->hash_len);
    memcpy(s.next_th, th_3, suite->hash_len);
    memcpy(s.prk_3e2m, prk_3e2m, suite->hash_len);
    log_line(party, &s);
    larch_wipe(&s, sizeof s);
}

/* Credentials that are longer than a line has room for are left out: EAD_3 then stays closed. */
void larch_lake_keylog_3(const larch_lake_party *party, const larch_lake_suite *suite, const uint8_t *th_3,
                         const uint8_t *prk_4e3m, const uint8_t *th_4, larch_bytes cred_i, larch_bytes cred_r)
{
    larch_lake_secrets s = {.after_3 = true, .hash_len = suite->hash_len};
    larch_writer creds = larch_writer_to(s.creds, sizeof s.creds);
    if (party->key_log == NULL)
        return;
    memcpy(s.th, th_3, suite->hash_len);
    memcpy(s.prk, prk_4e3m, suite->hash_len);
    memcpy(s.next_th, th_4, suite->hash_len);
    larch_writer_put(&creds, cred_i);
    larch_writer_put(&creds, cred_r);
    s.creds_len = creds.len <= creds.cap ? (uint16_t)creds.len : 0;
    log_line(party, &s);
    larch_wipe(&s, sizeof s);
}
