/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request that comes again from the same address and port finds its answer in the endpoint. One that comes again from
 * another, because a NAT chose a new port, finds it here: by its session and number, and its bytes. An answer of a session
 * that is gone stays until its place is needed: numbers of sessions are random, so nothing finds it.
 */
#include "base/siphash.h"
#include "node/oscore_service_int.h"

#if LARCH_SERVER_SESSIONS

#define TAG_LEN 16

/* Of all that an answer repeats, and of the end of the ciphertext. */
uint32_t larch_oscore_content(const larch_oscore_service *oscore, const larch_coap_message *request)
{
    larch_bytes end = request->payload;
    larch_siphash h;
    if (end.len > TAG_LEN)
        end = (larch_bytes){end.data + end.len - TAG_LEN, TAG_LEN};
    larch_siphash_init(&h, oscore->key);
    larch_siphash_word(&h, (uint64_t)request->type << 16 | request->message_id);
    larch_siphash_part(&h, request->token);
    larch_siphash_part(&h, end);
    return (uint32_t)larch_siphash_end(&h);
}

static larch_oscore_kept *place_of(const larch_oscore_service *oscore, uint64_t session, uint64_t number)
{
    /* Session numbers are random; requests of one session stand side by side. */
    return &oscore->config.kept[(session ^ number) & (oscore->config.kept_count - 1)];
}

void larch_oscore_keep(larch_oscore_service *oscore, const larch_server_protection *protection, larch_bytes answer)
{
    if (answer.len > oscore->config.kept_bytes_len)
        return;
    *place_of(oscore, protection->session, protection->number) =
        (larch_oscore_kept){.session = protection->session,
                            .number = protection->number,
                            .at = larch_ring_put(&oscore->kept, answer),
                            .content = protection->content,
                            .len = (uint32_t)answer.len};
}

larch_bytes larch_oscore_kept_answer(const larch_oscore_service *oscore, uint64_t session, uint64_t number,
                                     const uint32_t *content)
{
    const larch_oscore_kept *kept = place_of(oscore, session, number);
    if (kept->session != session || kept->number != number || (content != NULL && kept->content != *content))
        return (larch_bytes){NULL, 0};
    return larch_ring_get(&oscore->kept, kept->at, kept->len);
}

#endif
