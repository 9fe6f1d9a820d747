/* SPDX-License-Identifier: Apache-2.0 */
/*
 * larch's side of the cross-check: a request a line on stdin, an answer a line on
 * stdout. Byte strings are lower-case hex.
 *
 *     keygen SET SEED   ->  EK DK
 *     encaps SET EK M   ->  CT SS
 *     decaps SET DK CT  ->  SS
 *     anything wrong    ->  error NAME
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "larch/kem.h"
#include "pq/pq.h"

typedef struct bytes_of_line {
    uint8_t data[LARCH_KEM_DK_MAX + 1];
    size_t len;
} bytes_of_line;

static int digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

static bool read_hex(const char *text, bytes_of_line *out)
{
    out->len = 0;
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

int main(void)
{
    static char line[4 * LARCH_KEM_DK_MAX];
    static bytes_of_line a, b;
    while (fgets(line, sizeof line, stdin) != NULL) {
        const char *verb = strtok(line, " \n"), *set = strtok(NULL, " \n");
        const char *first = strtok(NULL, " \n"), *second = strtok(NULL, " \n");
        const larch_kem *kem = set != NULL ? larch_kem_find((unsigned)strtoul(set, NULL, 10)) : NULL;
        larch_error e = LARCH_MALFORMED;
        if (kem != NULL && read_hex(first != NULL ? first : "", &a) && read_hex(second != NULL ? second : "", &b))
            e = answer(verb, kem, &a, &b);
        if (e != LARCH_OK)
            printf("error %s\n", larch_error_name(e));
        fflush(stdout);
    }
    return 0;
}
