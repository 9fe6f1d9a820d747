/* SPDX-License-Identifier: Apache-2.0 */
/* What trust asks the holders of keys, what it makes of their answers, and the document that they speak for. */
#include <string.h>

#include "larch/crypto.h"
#include "node/trust_int.h"

larch_error larch_trust_compose_question(larch_trust *t, const larch_random *random, uint64_t now_ms, uint8_t *out,
                                         size_t cap, size_t *len)
{
    const larch_trust_need need = larch_trust_need_of(t, now_ms);
    if ((need != LARCH_TRUST_VOUCHER && need != LARCH_TRUST_NEXT) || t->asked != LARCH_TRUST_NOTHING)
        return LARCH_STATE;
    const bool root = need == LARCH_TRUST_NEXT && larch_trust_asks_root(t);
    const larch_bytes ek = {root ? t->root_ek : t->direct_ek, t->kem->ek_len};
    const larch_error e = larch_direct_next_ask(t->kem, random, ek, out, cap, len, t->ss);
    if (e != LARCH_OK) {
        larch_wipe(t->ss, sizeof t->ss);
        return e;
    }
    t->asked = (uint8_t)need;
    t->asked_ms = now_ms;
    return LARCH_OK;
}

/* The pinned key's word for the document. */
static larch_error take_voucher(larch_trust *t, larch_bytes answer)
{
    uint8_t said[32];
    const larch_error e = larch_direct_root_check(t->ss, t->direct_hash, answer, said);
    if (e == LARCH_PLATFORM)
        return e;
    t->vouched = e == LARCH_OK && memcmp(said, t->document_hash, sizeof said) == 0;
    if (!t->vouched)
        larch_trust_give_up(t, LARCH_TRUST_FAULT_DOCUMENT);
    return LARCH_OK;
}

/* The root names the present key. */
static larch_error take_name(larch_trust *t, larch_bytes answer)
{
    const larch_error e = larch_direct_next_check(t->ss, t->root_hash, answer, t->named);
    if (e == LARCH_PLATFORM)
        return e;
    t->has_named = e == LARCH_OK;
    if (!t->has_named)
        larch_trust_give_up(t, LARCH_TRUST_FAULT_KEY);
    else if (memcmp(t->named, t->root_hash, sizeof t->named) == 0)
        larch_trust_give_up(t, LARCH_TRUST_FAULT_ROOT);
    larch_trust_match(t, false);
    return LARCH_OK;
}

/* The pinned key endorses the fetched one, or does not. */
static larch_error take_endorsement(larch_trust *t, larch_bytes answer)
{
    uint8_t endorsed[32];
    const larch_error e = larch_direct_next_check(t->ss, t->direct_hash, answer, endorsed);
    if (e == LARCH_PLATFORM)
        return e;
    if (e == LARCH_OK && memcmp(endorsed, t->fetched_hash, sizeof endorsed) == 0)
        larch_trust_adopt(t);
    else
        larch_trust_refuse(t, LARCH_TRUST_FAULT_KEY);
    return LARCH_OK;
}

larch_error larch_trust_process_answer(larch_trust *t, larch_bytes answer)
{
    larch_error e;
    if (t->asked == LARCH_TRUST_NOTHING)
        return LARCH_STATE;
    if (t->asked == LARCH_TRUST_VOUCHER)
        e = take_voucher(t, answer);
    else if (larch_trust_asks_root(t))
        e = take_name(t, answer);
    else
        e = take_endorsement(t, answer);
    larch_trust_drop_question(t);
    return e;
}

larch_error larch_trust_process_document(larch_trust *t, larch_bytes document)
{
    larch_identity_document read;
    uint8_t hash[32], identity[LARCH_FINGERPRINT_LEN];
    larch_error e;
    larch_trust_drop_question(t);
    if (larch_identity_parse(document, &read, NULL) != LARCH_OK) {
        larch_trust_give_up(t, LARCH_TRUST_FAULT_DOCUMENT);
        return LARCH_OK;
    }
    if ((e = larch_identity_of(&read, identity)) != LARCH_OK || (e = larch_sha256(&document, 1, hash)) != LARCH_OK)
        return e;
    const larch_identity_entry *root = larch_identity_find(&read, LARCH_IDENTITY_ROOT, t->kem->set, true);
    if (larch_trust_pins_identity(t) && memcmp(identity, t->pin, sizeof identity) != 0) {
        memcpy(t->identity, identity, sizeof identity); /* to be shown */
        t->has_document = true;
        larch_trust_refuse(t, LARCH_TRUST_FAULT_IDENTITY);
    } else if (root == NULL) {
        larch_trust_give_up(t, LARCH_TRUST_FAULT_NO_ROOT);
    } else if (t->has_fetched && memcmp(root->hash, t->fetched_hash, sizeof root->hash) == 0) {
        larch_trust_refuse(t, LARCH_TRUST_FAULT_ROOT);
    } else {
        memcpy(t->identity, identity, sizeof identity);
        memcpy(t->document_hash, hash, sizeof hash);
        memcpy(t->root_hash, root->hash, sizeof root->hash);
        t->has_document = true;
    }
    return LARCH_OK;
}

void larch_trust_process_absence(larch_trust *t, uint64_t now_ms)
{
    const larch_trust_need need = larch_trust_need_of(t, now_ms);
    larch_trust_drop_question(t);
    if (larch_trust_stop_identifying(t))
        return;
    if (need == LARCH_TRUST_DOCUMENT && t->kind == 0)
        t->identifying = false;
    else
        larch_trust_refuse(t, need == LARCH_TRUST_DOCUMENT ? LARCH_TRUST_FAULT_NO_IDENTITY
                              : need == LARCH_TRUST_ROOT   ? LARCH_TRUST_FAULT_ROOT
                                                           : LARCH_TRUST_FAULT_KEY);
}
