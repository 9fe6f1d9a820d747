/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Untrusted bytes as claims set, CWT, ID_CRED_x, EAD items and error message of LAKE: what is refused leaves nothing behind;
 * what is taken is written again as it was.
 */
#include "fuzz.h"
#include "lake/lake_int.h"
#include "lake_pair.h"

static uint8_t out[1 << 16];

static void check_ccs(larch_bytes in)
{
    larch_lake_claims claims, again;
    const larch_error e = larch_lake_parse_ccs(in, &claims);
    require(e == LARCH_OK || e == LARCH_MALFORMED || e == LARCH_STATE);
    if (e != LARCH_OK) {
        require(is_zero((const uint8_t *)&claims, sizeof claims));
        return;
    }
    require(claims.sub.len > 0 && claims.key.kty != 0 &&
            claims.key.d.len + claims.key.priv.len + claims.key.k.len == 0);
    larch_writer w = larch_writer_to(out, sizeof out);
    larch_lake_put_ccs(&w, &claims);
    require(larch_lake_parse_ccs((larch_bytes){out, w.len}, &again) == LARCH_OK);
    require(larch_bytes_equal(claims.sub, again.sub) && larch_bytes_equal(claims.iss, again.iss));
    require(claims.exp == again.exp && claims.nbf == again.nbf && claims.key.kty == again.key.kty);
}

/* Nobody here has the authority's private key, so no signature is the authority's. */
static void check_cwt(larch_bytes in)
{
    static larch_cose_key authority;
    larch_lake_claims claims;
    if (authority.kty == 0)
        authority = lake_authority();
    require(larch_lake_verify_cwt(in, &authority, &claims) != LARCH_OK);
    require(is_zero((const uint8_t *)&claims, sizeof claims));
}

static void check_id_cred(larch_bytes in)
{
    uint8_t map[LAKE_KID_MAP_MAX];
    larch_lake_reference reference = {0};
    larch_reader r = larch_reader_of(in);
    const larch_error e = larch_lake_take_id_cred(&r, map, &reference);
    require(e == LARCH_OK || e == LARCH_MALFORMED || e == LARCH_STATE);
    if (e != LARCH_OK)
        return;
    larch_writer w = larch_writer_to(out, sizeof out);
    larch_lake_put_sent_id_cred(&w, reference.id_cred);
    require(larch_bytes_equal((larch_bytes){out, w.len}, (larch_bytes){in.data, in.len - r.left.len}));
}

static void check_ead(larch_bytes in)
{
    larch_reader r = larch_reader_of(in);
    larch_writer w = larch_writer_to(out, sizeof out);
    larch_lake_ead ead;
    larch_error e;
    while ((e = larch_lake_take_ead(&r, &ead)) == LARCH_OK)
        larch_lake_put_ead(&w, &ead);
    require(e == LARCH_AGAIN || e == LARCH_MALFORMED || e == LARCH_STATE);
    require((e == LARCH_AGAIN) == (r.left.len == 0));
    require(larch_bytes_equal((larch_bytes){out, w.len}, (larch_bytes){in.data, in.len - r.left.len}));
}

static void check_error(larch_bytes in)
{
    const larch_lake_suite *const suites[] = {larch_lake_suite_find(-24), larch_lake_suite_find(-22)};
    const larch_lake_party party = {.suites = suites, .suite_count = 2};
    larch_lake_error error;
    size_t suite = 0;
    if (larch_lake_parse_error(in, &error) != LARCH_OK) {
        require(is_zero((const uint8_t *)&error, sizeof error));
        return;
    }
    require(error.code != 0 && error.info.len > 0);
    if (larch_lake_choose_suite(&party, &error, 0, &suite) == LARCH_OK)
        require(error.code == LARCH_LAKE_ERROR_SUITE && suite == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const larch_bytes in = {data, size};
    if (size > 1 << 14)
        return 0;
    check_ccs(in);
    check_cwt(in);
    check_id_cred(in);
    check_ead(in);
    check_error(in);
    return 0;
}
