/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two primitives that Python lacks, for the prototype's peers in
 * prototype.py: a line of words and hex on stdin, a line of hex on stdout. The
 * layout of messages is prototype.py's own, so that it does not share a mistake
 * with the library's.
 *
 *   keygen                    -> ek dk
 *   encaps ek                 -> ct ss
 *   decaps dk ct              -> ss
 *   seal key nonce text [aad]   -> text and tag, sealed ("-" stands for no bytes)
 *   open key nonce sealed [aad] -> text, or "AUTH"
 */
#include <stdio.h>
#include <string.h>

#include "larch/crypto.h"
#include "larch/kem.h"

#define ARGUMENTS 4
#define BYTES_MAX 2048
#define TAG_LEN   16

typedef struct argument {
    uint8_t bytes[BYTES_MAX];
    size_t len;
} argument;

static const char digits[] = "0123456789abcdef";

static void put_hex(const uint8_t *bytes, size_t len, char end)
{
    for (size_t i = 0; i < len; i++) {
        putchar(digits[bytes[i] >> 4]);
        putchar(digits[bytes[i] & 15]);
    }
    if (len == 0)
        putchar('-');
    putchar(end);
}

static bool take_hex(const char *text, argument *out)
{
    out->len = 0;
    if (strcmp(text, "-") == 0)
        return true;
    for (; *text != '\0'; text += 2) {
        const char *high = strchr(digits, text[0]), *low = text[1] != '\0' ? strchr(digits, text[1]) : NULL;
        if (high == NULL || low == NULL || out->len == BYTES_MAX)
            return false;
        out->bytes[out->len++] = (uint8_t)((high - digits) << 4 | (low - digits));
    }
    return true;
}

static bool keygen(const larch_kem *kem, const larch_random *random)
{
    uint8_t seed[LARCH_KEM_SEED_LEN], ek[LARCH_KEM_EK_MAX], dk[LARCH_KEM_DK_MAX];
    if (larch_random_fill(random, seed, sizeof seed) != LARCH_OK || larch_kem_keygen(kem, seed, ek, dk) != LARCH_OK)
        return false;
    put_hex(ek, kem->ek_len, ' ');
    put_hex(dk, kem->dk_len, '\n');
    return true;
}

static bool run(const char *what, const argument *a, size_t count)
{
    const larch_kem *kem = larch_kem_find(512);
    const larch_random random = larch_crypto_random();
    uint8_t ct[LARCH_KEM_CT_MAX], ss[LARCH_KEM_SS_LEN], out[BYTES_MAX + TAG_LEN];
    if (strcmp(what, "keygen") == 0 && count == 0)
        return keygen(kem, &random);
    if (strcmp(what, "encaps") == 0 && count == 1 && a[0].len == kem->ek_len) {
        if (larch_kem_encaps(kem, &random, (larch_bytes){a[0].bytes, a[0].len}, ct, ss) != LARCH_OK)
            return false;
        put_hex(ct, kem->ct_len, ' ');
        put_hex(ss, sizeof ss, '\n');
        return true;
    }
    if (strcmp(what, "decaps") == 0 && count == 2 && a[0].len == kem->dk_len) {
        if (larch_kem_decaps(kem, a[0].bytes, (larch_bytes){a[1].bytes, a[1].len}, ss) != LARCH_OK)
            return false;
        put_hex(ss, sizeof ss, '\n');
        return true;
    }
    if ((count != 3 && count != 4) || a[0].len != LARCH_CCM_KEY_LEN)
        return false;
    const larch_bytes nonce = {a[1].bytes, a[1].len}, in = {a[2].bytes, a[2].len};
    const larch_bytes aad = {a[3].bytes, count == 4 ? a[3].len : 0};
    if (strcmp(what, "seal") == 0) {
        if (larch_ccm_seal(a[0].bytes, nonce, aad, in, TAG_LEN, out, sizeof out) != LARCH_OK)
            return false;
        put_hex(out, in.len + TAG_LEN, '\n');
        return true;
    }
    if (strcmp(what, "open") != 0 || in.len < TAG_LEN)
        return false;
    if (larch_ccm_open(a[0].bytes, nonce, aad, in, TAG_LEN, out, sizeof out) == LARCH_OK)
        put_hex(out, in.len - TAG_LEN, '\n');
    else
        puts("AUTH");
    return true;
}

int main(void)
{
    static char line[4 * BYTES_MAX * ARGUMENTS];
    static argument arguments[ARGUMENTS];
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    while (fgets(line, sizeof line, stdin) != NULL) {
        size_t count = 0;
        bool ok = true;
        const char *what = strtok(line, " \n"), *word;
        while (ok && (word = strtok(NULL, " \n")) != NULL)
            ok = count < ARGUMENTS && take_hex(word, &arguments[count++]);
        if (!ok || what == NULL || !run(what, arguments, count))
            puts("ERROR");
        (void)fflush(stdout);
    }
    return 0;
}
