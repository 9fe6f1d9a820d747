/* SPDX-License-Identifier: Apache-2.0 */
/*
 * larch's side of the cross-check: a request a line on stdin, an answer a line on
 * stdout. Byte strings are lower-case hex.
 *
 *     keygen SET SEED                       ->  EK DK
 *     encaps SET EK M                       ->  CT SS
 *     decaps SET DK CT                      ->  SS
 *     sig_keygen ALG SEED                   ->  PK SK
 *     sig_sign ALG SK CONTEXT MESSAGE RND   ->  SIGNATURE
 *     sig_verify ALG PK CONTEXT MESSAGE SIG ->  valid
 *     level NAME                            ->  NAME, whose code answers from then on
 *     anything wrong                        ->  error NAME
 *
 * SET is ML-KEM's number, ALG the number in COSE. An empty byte string is "-"; an
 * empty RND asks for the deterministic variant.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "larch/kem.h"
#include "larch/sig.h"
#include "pq/pq.h"

typedef struct bytes_of_line {
    uint8_t data[LARCH_SIG_SK_MAX + 1];
    size_t len;
} bytes_of_line;

enum { ARGUMENTS = 4 };

static int digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

static bool read_hex(const char *text, bytes_of_line *out)
{
    out->len = 0;
    if (strcmp(text, "-") == 0)
        return true;
    for (; text[0] != 0; text += 2) {
        int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);
        if (low < 0 || out->len == sizeof out->data)
            return false;
        out->data[out->len++] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static void print_hex(const uint8_t *bytes, size_t len, char after)
{
    for (size_t i = 0; i < len; i++)
        printf("%02x", bytes[i]);
    putchar(after);
}

static larch_error answer(const char *verb, const larch_kem *kem, const bytes_of_line *a, const bytes_of_line *b)
{
    static uint8_t ek[LARCH_KEM_EK_MAX], dk[LARCH_KEM_DK_MAX], ct[LARCH_KEM_CT_MAX];
    uint8_t ss[LARCH_KEM_SS_LEN];
    larch_error e;
    if (strcmp(verb, "keygen") == 0) {
        if (a->len != LARCH_KEM_SEED_LEN || (e = larch_kem_keygen(kem, a->data, ek, dk)) != LARCH_OK)
            return LARCH_MALFORMED;
        print_hex(ek, kem->ek_len, ' ');
        print_hex(dk, kem->dk_len, '\n');
    } else if (strcmp(verb, "encaps") == 0) {
        e = larch_kem_check_ek(kem, (larch_bytes){a->data, a->len});
        if (e != LARCH_OK || b->len != 32)
            return LARCH_MALFORMED;
        kem->functions->encaps(a->data, b->data, ct, ss);
        print_hex(ct, kem->ct_len, ' ');
        print_hex(ss, sizeof ss, '\n');
    } else if (strcmp(verb, "decaps") == 0) {
        e = larch_kem_check_dk(kem, (larch_bytes){a->data, a->len});
        if (e != LARCH_OK || (e = larch_kem_decaps(kem, a->data, (larch_bytes){b->data, b->len}, ss)) != LARCH_OK)
            return e;
        print_hex(ss, sizeof ss, '\n');
    } else {
        return LARCH_STATE;
    }
    return LARCH_OK;
}

static larch_bytes view(const bytes_of_line *b) { return (larch_bytes){b->data, b->len}; }

static larch_error fill_from_line(void *context, uint8_t *out, size_t len)
{
    const bytes_of_line *rnd = context;
    if (rnd->len != len)
        return LARCH_PLATFORM;
    memcpy(out, rnd->data, len);
    return LARCH_OK;
}

static larch_error answer_sig(const char *verb, const larch_sig *sig, bytes_of_line a[ARGUMENTS])
{
    static uint8_t pk[LARCH_SIG_PK_MAX], sk[LARCH_SIG_SK_MAX], signature[LARCH_SIG_SIG_MAX];
    larch_error e;
    if (strcmp(verb, "sig_keygen") == 0) {
        if (a[0].len != sig->seed_len || (e = larch_sig_keygen(sig, a[0].data, pk, sk)) != LARCH_OK)
            return LARCH_MALFORMED;
        print_hex(pk, sig->pk_len, ' ');
        print_hex(sk, sig->sk_len, '\n');
    } else if (strcmp(verb, "sig_sign") == 0) {
        const larch_random random = {fill_from_line, &a[3]};
        if (a[0].len != sig->sk_len)
            return LARCH_MALFORMED;
        e = larch_sig_sign(sig, a[3].len > 0 ? &random : NULL, a[0].data, view(&a[1]), view(&a[2]), signature);
        if (e != LARCH_OK)
            return e;
        print_hex(signature, sig->sig_len, '\n');
    } else if (strcmp(verb, "sig_verify") == 0) {
        e = larch_sig_verify(sig, view(&a[0]), view(&a[1]), view(&a[2]), view(&a[3]));
        if (e != LARCH_OK)
            return e;
        puts("valid");
    } else {
        return LARCH_STATE;
    }
    return LARCH_OK;
}

/* The level that answers; LARCH_PQ_LEVELS: whichever users get. */
static unsigned level = LARCH_PQ_LEVELS;

static larch_error choose_level(const char *name)
{
    for (level = 0; level < LARCH_PQ_LEVELS; level++) {
        const char *known = larch_pq_level_name(level);
        if (known == NULL || strcmp(known, name) != 0 || larch_mldsa_at_level(level, -48) == NULL)
            continue;
        puts(name);
        return LARCH_OK;
    }
    return LARCH_MALFORMED;
}

int main(void)
{
    static char line[1 << 16];
    static bytes_of_line arguments[ARGUMENTS];
    while (fgets(line, sizeof line, stdin) != NULL) {
        const char *verb = strtok(line, " \n"), *name = strtok(NULL, " \n");
        const long number = name != NULL ? strtol(name, NULL, 10) : 0;
        const larch_kem *kem = number > 0 ? larch_kem_find((unsigned)number) : NULL;
        const larch_sig *sig = number < 0 ? larch_sig_find((int)number) : NULL;
        larch_error e = kem != NULL || sig != NULL ? LARCH_OK : LARCH_MALFORMED;
        larch_kem level_kem;
        larch_sig level_sig;
        if (kem != NULL && level < LARCH_PQ_LEVELS) {
            level_kem = *kem;
            level_kem.functions = larch_mlkem_at_level(level, kem->set);
            kem = &level_kem;
        }
        if (sig != NULL && level < LARCH_PQ_LEVELS) {
            level_sig = *sig;
            level_sig.functions = larch_mldsa_at_level(level, sig->cose_algorithm);
            sig = &level_sig;
        }
        for (size_t i = 0; i < ARGUMENTS; i++) {
            const char *text = strtok(NULL, " \n");
            if (!read_hex(text != NULL ? text : "-", &arguments[i]))
                e = LARCH_MALFORMED;
        }
        if (strcmp(verb, "level") == 0)
            e = choose_level(name);
        else if (e == LARCH_OK)
            e = kem != NULL ? answer(verb, kem, &arguments[0], &arguments[1]) : answer_sig(verb, sig, arguments);
        if (e != LARCH_OK)
            printf("error %s\n", larch_error_name(e));
        fflush(stdout);
    }
    return 0;
}
