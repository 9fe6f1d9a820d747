/* SPDX-License-Identifier: Apache-2.0 */
/* Random source, key partition, Mbed TLS behind the library's crypto. */
#include <string.h>

#include "board/board.h"
#include "larch/crypto.h"

#include "check.h"

static void check_random(void)
{
    uint8_t a[100] = {0}, b[100] = {0};
    const bool drawn =
        larch_board_random(NULL, a, sizeof a) == LARCH_OK && larch_board_random(NULL, b, sizeof b) == LARCH_OK;
    larch_check("random bytes come, and others each time", drawn && memcmp(a, b, sizeof a) != 0);
    unsigned ones = 0;
    for (size_t i = 0; i < sizeof a; i++)
        for (unsigned bits = a[i]; bits != 0; bits &= bits - 1)
            ones++;
    larch_check("about half of their bits are ones", ones > 300 && ones < 500); /* 7 deviations */
}

/* What a restart must leave in place is written at the end; the test looks for it in the flash image. */
static void check_flash(void)
{
    static const uint8_t mark[] = "larch-check was here";
    const larch_nor *nor = larch_board_flash();
    uint8_t got[sizeof mark] = {0};
    const uint32_t at = nor->sector_size * (nor->sector_count - 1) + 5;
    bool blank = nor->erase(nor->context, nor->sector_count - 1) == LARCH_OK &&
                 nor->read(nor->context, at, got, sizeof got) == LARCH_OK;
    for (size_t i = 0; i < sizeof got; i++)
        blank = blank && got[i] == 0xff;
    larch_check("an erased sector reads as ones", blank);
    larch_check("flash keeps what is programmed, at any place",
                nor->program(nor->context, at, (larch_bytes){mark, sizeof mark}) == LARCH_OK &&
                    nor->read(nor->context, at, got, sizeof got) == LARCH_OK && memcmp(got, mark, sizeof mark) == 0);
    larch_check("a zero cannot become a one",
                nor->program(nor->context, at, (larch_bytes){(const uint8_t[]){0xff}, 1}) == LARCH_PLATFORM);
    larch_check("outside the partition is refused",
                nor->read(nor->context, nor->sector_size * nor->sector_count - 1, got, 2) == LARCH_PLATFORM);
}

/* [FIPS180 B.1], [RFC5869 A.1], [RFC3610 8] packet vector 1; the tag's wrong end must be noticed. */
static void check_crypto(void)
{
    static const uint8_t sha_abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea};
    static const uint8_t okm[] = {0x3c, 0xb2, 0x5f, 0x25, 0xfa, 0xac, 0xd5, 0x7a};
    static const uint8_t key[LARCH_CCM_KEY_LEN] = {0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
                                                   0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf};
    static const uint8_t nonce[] = {0, 0, 0, 3, 2, 1, 0, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5};
    static const uint8_t packet[] = {0x58, 0x8c, 0x97, 0x9a, 0x61, 0xc6, 0x63, 0xd2, 0xf0, 0x66, 0xd0,
                                     0xc2, 0xc0, 0xf9, 0x89, 0x80, 0x6d, 0x5f, 0x6b, 0x61, 0xda, 0xc3,
                                     0x84, 0x17, 0xe8, 0xd1, 0x2c, 0xfd, 0xf9, 0x26, 0xe0};
    uint8_t aad[8], text[23], ikm[22], salt[13], info[10], out[48];
    for (uint8_t i = 0; i < sizeof aad; i++)
        aad[i] = i;
    for (uint8_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i + 8);
    memset(ikm, 0x0b, sizeof ikm);
    for (uint8_t i = 0; i < sizeof salt; i++)
        salt[i] = i;
    for (uint8_t i = 0; i < sizeof info; i++)
        info[i] = (uint8_t)(0xf0 + i);
#define ALL(array) ((larch_bytes){array, sizeof array})
    const larch_bytes abc = {(const uint8_t *)"abc", 3}, n = ALL(nonce), a = ALL(aad);

    larch_check("the crypto provider starts", larch_crypto_init() == LARCH_OK);
    larch_check("SHA-256", larch_sha256(&abc, 1, out) == LARCH_OK && memcmp(out, sha_abc, sizeof sha_abc) == 0);
    larch_check("HKDF", larch_hkdf_sha256(ALL(salt), ALL(ikm), ALL(info), out, 42) == LARCH_OK &&
                            memcmp(out, okm, sizeof okm) == 0);
    larch_check("AES-CCM seals", larch_ccm_seal(key, n, a, ALL(text), 8, out, sizeof out) == LARCH_OK &&
                                     memcmp(out, packet, sizeof packet) == 0);
    larch_check("AES-CCM opens", larch_ccm_open(key, n, a, ALL(packet), 8, out, sizeof out) == LARCH_OK &&
                                     memcmp(out, text, sizeof text) == 0);
    memcpy(out, packet, sizeof packet);
    out[sizeof packet - 1] ^= 1;
    uint8_t opened[sizeof text];
    larch_check("AES-CCM notices a changed tag",
                larch_ccm_open(key, n, a, (larch_bytes){out, sizeof packet}, 8, opened, sizeof opened) == LARCH_AUTH);
    const larch_random random = larch_crypto_random();
    larch_check("its random bytes are the board's", larch_random_fill(&random, out, sizeof out) == LARCH_OK);
#undef ALL
}

void larch_check_devices(void)
{
    check_random();
    check_flash();
    check_crypto();
}
