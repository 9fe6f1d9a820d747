/* SPDX-License-Identifier: Apache-2.0 */
#include "sniff/dissect/suite.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "larch/cbor.h"
#include "larch/lake.h"

/* Those of the registry that larch cannot run. [RFC9528 10.2] */
static const struct {
    int64_t number;
    const char *name;
} registered[] = {
    {0, "X25519, EdDSA, AES-CCM, SHA-256"},
    {1, "X25519, EdDSA, AES-CCM with 16-byte tags, SHA-256"},
    {2, "P-256, ES256, AES-CCM, SHA-256"}, /* these two, in a build without them */
    {3, "P-256, ES256, AES-CCM with 16-byte tags, SHA-256"},
    {4, "X25519, EdDSA, ChaCha20/Poly1305, SHA-256"},
    {5, "P-256, ES256, ChaCha20/Poly1305, SHA-256"},
    {6, "X25519, ES256, A128GCM, SHA-256"},
    {24, "P-384, ES384, A256GCM, SHA-384"},
    {25, "X448, EdDSA, ChaCha20/Poly1305, SHAKE256"},
};

static const char *find_registered(int64_t suite)
{
    for (size_t i = 0; i < sizeof registered / sizeof registered[0]; i++)
        if (registered[i].number == suite)
            return registered[i].name;
    return NULL;
}

const char *larch_sniff_suite_name(int64_t suite)
{
    const larch_lake_suite *ours = larch_lake_suite_find(suite);
    return ours != NULL ? ours->name : find_registered(suite);
}

larch_sniff_strength larch_sniff_suite_strength(int64_t suite)
{
    const larch_lake_suite *ours = larch_lake_suite_find(suite);
    if (ours != NULL && ours->key_exchange != LARCH_LAKE_P256)
        return LARCH_SNIFF_STRENGTH_POST_QUANTUM; /* every other key exchange is a KEM's set */
    return ours != NULL || find_registered(suite) != NULL ? LARCH_SNIFF_STRENGTH_CLASSICAL
                                                          : LARCH_SNIFF_STRENGTH_UNKNOWN;
}

const char *larch_sniff_strength_text(larch_sniff_strength strength)
{
    static const char *const texts[LARCH_SNIFF_STRENGTHS] = {[LARCH_SNIFF_STRENGTH_UNKNOWN] = "unknown",
                                                             [LARCH_SNIFF_STRENGTH_CLASSICAL] = "no",
                                                             [LARCH_SNIFF_STRENGTH_POST_QUANTUM] = "yes"};
    return texts[strength];
}

const char *larch_sniff_method_name(int64_t method)
{
    static const char *const names[] = {"signatures", "signature and static DH", "static DH and signature", "static DH",
                                        "PSK"};
    return method >= 0 && method < (int64_t)(sizeof names / sizeof names[0]) ? names[method] : NULL;
}

bool larch_sniff_suites_hold(const larch_sniff_suites *suites, int64_t suite)
{
    for (size_t i = 0; i < suites->count; i++)
        if (suites->numbers[i] == suite)
            return true;
    return false;
}

void larch_sniff_suites_read(larch_sniff_suites *suites, larch_bytes in)
{
    larch_reader r = larch_reader_of(in);
    size_t count = 1;
    int64_t number;
    memset(suites, 0, sizeof *suites);
    if (larch_cbor_peek(&r) == LARCH_CBOR_ARRAY && larch_cbor_take_array(&r, &count) != LARCH_OK)
        return;
    while (count-- > 0 && larch_cbor_take_int(&r, &number) == LARCH_OK) {
        suites->more = suites->count == LARCH_SNIFF_SUITES_MAX;
        if (!suites->more)
            suites->numbers[suites->count++] = number;
    }
}

const char *larch_sniff_suites_text(const larch_sniff_suites *suites, char out[LARCH_SNIFF_SUITES_TEXT])
{
    size_t len = 0;
    out[0] = 0;
    for (size_t i = 0; i < suites->count; i++) {
        char number[24];
        const int n = snprintf(number, sizeof number, "%s%" PRId64, i == 0 ? "" : ", ", suites->numbers[i]);
        if (len + (size_t)n + sizeof ", ..." > LARCH_SNIFF_SUITES_TEXT) {
            memcpy(out + len, ", ...", sizeof ", ...");
            return out;
        }
        memcpy(out + len, number, (size_t)n + 1);
        len += (size_t)n;
    }
    return out;
}
