/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway's identity: its root keys, which endorse its direct keys and open no message, and the document that lists
 * them. Made once, at the first start of a larch that knows identities, and stored as one file: a power cut leaves a
 * folder with an identity or without one, never with a part of it. One that was stored is used as it is or refused.
 */
#include <string.h>

#include "larch/sig.h"
#include "node/direct_int.h"

/* ---- one key -------------------------------------------------------------- */

/* Makes a root key ready for use from its seed. */
static larch_error expand_root(larch_direct_keys *keys, const uint8_t *seed)
{
    uint8_t ek[LARCH_KEM_EK_MAX];
    larch_error e = larch_kem_keygen(keys->kem, seed, ek, keys->root_dk);
    if (e == LARCH_OK)
        e = larch_direct_key_hash((larch_bytes){ek, keys->kem->ek_len}, keys->root_hash);
    keys->has_root = e == LARCH_OK;
    return e;
}

#if LARCH_MLDSA_44 || LARCH_MLDSA_65 || LARCH_MLDSA_87

/* By the number in the document. [RFC9964] */
static const larch_sig *sig_of(uint16_t algorithm)
{
    return larch_sig_find(algorithm == 44 ? -48 : algorithm == 65 ? -49 : -50);
}

static larch_error hash_of_signer(const larch_sig *sig, const uint8_t *seed, uint8_t hash[32])
{
    uint8_t pk[LARCH_SIG_PK_MAX], sk[LARCH_SIG_SK_MAX];
    larch_error e = larch_sig_keygen(sig, seed, pk, sk);
    if (e == LARCH_OK)
        e = larch_direct_key_hash((larch_bytes){pk, sig->pk_len}, hash);
    larch_wipe(sk, sizeof sk);
    return e;
}

#else

static const larch_sig *sig_of(uint16_t algorithm)
{
    (void)algorithm;
    return NULL;
}

static larch_error hash_of_signer(const larch_sig *sig, const uint8_t *seed, uint8_t hash[32])
{
    (void)sig, (void)seed, (void)hash;
    return LARCH_STATE;
}

#endif

static larch_direct_keys *keys_of(larch_direct_service *direct, const larch_stored_identity_key *key)
{
    return key->kind == LARCH_IDENTITY_ROOT ? larch_direct_keys_find(direct, larch_direct_kem_find(key->algorithm))
                                            : NULL;
}

/* The hash of the public key that the seed makes; a root key is ready for use then. LARCH_STATE: this build has no such
 * algorithm. */
static larch_error expand(larch_direct_service *direct, const larch_stored_identity_key *key, uint8_t hash[32])
{
    larch_direct_keys *keys = keys_of(direct, key);
    const larch_sig *sig = key->kind == LARCH_IDENTITY_SIGNATURE ? sig_of(key->algorithm) : NULL;
    larch_error e = LARCH_STATE;
    if (keys != NULL && (e = expand_root(keys, key->seed)) == LARCH_OK)
        memcpy(hash, keys->root_hash, sizeof keys->root_hash);
    else if (sig != NULL)
        e = hash_of_signer(sig, key->seed, hash);
    return e;
}

/* ---- the first start ------------------------------------------------------ */

static larch_error invent(larch_direct_service *direct, size_t seed_len, larch_stored_identity_key *key)
{
    larch_error e = LARCH_OK;
    for (unsigned tries = 0; e == LARCH_OK && tries < DIRECT_KEY_TRIES; tries++) {
        const larch_direct_keys *keys = keys_of(direct, key);
        if ((e = larch_random_fill(direct->config.random, key->seed, seed_len)) == LARCH_OK &&
            (e = expand(direct, key, key->hash)) == LARCH_OK &&
            (keys == NULL || !larch_direct_is_hint_held(direct, keys->root_hash)))
            return LARCH_OK;
    }
    return e != LARCH_OK ? e : LARCH_PLATFORM;
}

/* A root key of each set, and the keys that sign. */
static larch_error create(larch_direct_service *direct, larch_stored_identity *identity)
{
    static const uint8_t signers[] = {44, 87};
    const larch_kem *kem;
    const larch_sig *sig;
    larch_error e = LARCH_OK;
    for (size_t i = 0; e == LARCH_OK && (kem = larch_direct_kem_at(i)) != NULL; i++) {
        identity->keys[i] = (larch_stored_identity_key){.kind = LARCH_IDENTITY_ROOT, .algorithm = kem->set};
        e = invent(direct, kem->seed_len, &identity->keys[identity->count++]);
    }
    for (size_t i = 0; e == LARCH_OK && i < sizeof signers; i++) {
        if ((sig = sig_of(signers[i])) == NULL)
            continue;
        identity->keys[identity->count] =
            (larch_stored_identity_key){.kind = LARCH_IDENTITY_SIGNATURE, .algorithm = signers[i]};
        e = invent(direct, sig->seed_len, &identity->keys[identity->count++]);
    }
    identity->founding = identity->count;
    return e;
}

_Static_assert(LARCH_DIRECT_SETS + LARCH_MLDSA_44 + LARCH_MLDSA_87 <= LARCH_IDENTITY_HELD, "founding entries");

/* ---- every start ---------------------------------------------------------- */

/* Each seed must make the key that its entry names. Keys of algorithms that this build lacks are left alone. */
static larch_error check_keys(larch_direct_service *direct, const larch_stored_identity *identity,
                              larch_store_fault *fault)
{
    static const uint8_t elsewhere[LARCH_STORE_SEED_LEN];
    for (size_t i = 0; i < identity->count; i++) {
        const larch_stored_identity_key *key = &identity->keys[i];
        uint8_t hash[32];
        if (key->kind != LARCH_IDENTITY_ROOT && larch_ct_equal(key->seed, elsewhere, sizeof elsewhere))
            continue;
        const larch_error e = expand(direct, key, hash);
        if (e == LARCH_STATE)
            continue;
        if (e != LARCH_OK)
            return e;
        if (memcmp(hash, key->hash, sizeof hash) != 0) {
            *fault = LARCH_STORE_DAMAGED;
            return LARCH_MALFORMED;
        }
    }
    return LARCH_OK;
}

/* A key that opens messages must not endorse others: such a ring was not written by larch. */
static larch_error check_direct_keys(const larch_direct_service *direct, char faulty[LARCH_STORAGE_NAME_MAX + 1],
                                     larch_store_fault *fault)
{
    for (size_t i = 0; i < LARCH_DIRECT_SETS; i++) {
        const larch_direct_keys *keys = &direct->keys[i];
        for (unsigned half = 0; half < 2; half++)
            if (keys->has_root && keys->key[half].generation != 0 &&
                memcmp(keys->key[half].hash, keys->root_hash, sizeof keys->root_hash) == 0) {
                larch_key_ring_name(keys->kem->set, faulty);
                *fault = LARCH_STORE_KIND;
                return LARCH_MALFORMED;
            }
    }
    return LARCH_OK;
}

/* Writes the document that the keys stand for, and reads it as a sender will. */
static larch_error compose(larch_direct_service *direct, const larch_stored_identity *identity, uint8_t id[20],
                           larch_store_fault *fault)
{
    larch_identity_document document = {.founding = identity->founding, .count = identity->count}, read;
    for (size_t i = 0; i < identity->count; i++) {
        const larch_stored_identity_key *key = &identity->keys[i];
        document.entries[i] = (larch_identity_entry){.kind = key->kind, .algorithm = key->algorithm};
        memcpy(document.entries[i].hash, key->hash, sizeof key->hash);
    }
    larch_writer w = larch_writer_to(direct->document, sizeof direct->document);
    larch_identity_compose(&w, &document);
    const larch_bytes bytes = {direct->document, w.len};
    if (larch_identity_parse(bytes, &read, NULL) != LARCH_OK) {
        *fault = LARCH_STORE_KIND;
        return LARCH_MALFORMED;
    }
    direct->document_len = (uint16_t)w.len;
    const larch_error e = larch_sha256(&bytes, 1, direct->document_hash);
    return e == LARCH_OK ? larch_identity_of(&document, id) : e;
}

larch_error larch_direct_identity_load(larch_direct_service *direct, char faulty[LARCH_STORAGE_NAME_MAX + 1],
                                       larch_store_fault *fault)
{
    larch_stored_identity identity;
    larch_error e = larch_stored_identity_load(direct->config.storage, &identity, fault);
    if (e == LARCH_OK) {
        e = check_keys(direct, &identity, fault);
    } else if (e == LARCH_STATE && *fault == LARCH_STORE_MISSING) {
        *fault = LARCH_STORE_NONE;
        if ((e = create(direct, &identity)) == LARCH_OK &&
            (e = larch_stored_identity_save(direct->config.storage, &identity)) != LARCH_OK)
            *fault = LARCH_STORE_MEDIUM;
    }
    if (e == LARCH_OK)
        e = compose(direct, &identity, direct->identity, fault);
    larch_wipe(&identity, sizeof identity);
    if (*fault != LARCH_STORE_NONE)
        memcpy(faulty, LARCH_STORED_IDENTITY_NAME, sizeof LARCH_STORED_IDENTITY_NAME);
    return e == LARCH_OK ? check_direct_keys(direct, faulty, fault) : e;
}

const uint8_t *larch_direct_service_identity(const larch_direct_service *direct, larch_bytes *document)
{
    if (document != NULL)
        *document = (larch_bytes){direct->document, direct->document_len};
    return direct->identity;
}
