/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For builds with LARCH_NONCE_LOG: one line for each encryption, at the end of the file that the environment variable
 * LARCH_NONCE_LOG_FILE names. tools/nonce_log.py reads them.
 *
 *     SHA-256(key) nonce SHA-256(aad | plaintext)     in hexadecimal; an aad is CBOR, so it ends by itself
 *
 * Programs and restarts may share the file: each line is one write. A line that is lost would hide what the log is for,
 * so the program ends.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "larch/crypto.h"
#include "larch/oscore.h"

#define LINE_MAX_LEN (2 * (LARCH_SHA256_LEN + LARCH_COSE_AEAD_NONCE_MAX + LARCH_SHA256_LEN) + 3)

static _Noreturn void fail(const char *path)
{
    perror(path);
    abort();
}

static char *put_hex(char *out, const uint8_t *bytes, size_t len, char end)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out++ = end;
    return out;
}

void larch_oscore_nonce_log(larch_bytes key, larch_bytes nonce, larch_bytes aad, larch_bytes plaintext)
{
    static int file = -1;
    const char *path = getenv("LARCH_NONCE_LOG_FILE");
    const larch_bytes message[] = {aad, plaintext};
    uint8_t of_key[LARCH_SHA256_LEN], of_message[LARCH_SHA256_LEN];
    char line[LINE_MAX_LEN], *at = line;
    if (path == NULL)
        return;
    if (file < 0 && (file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)) < 0)
        fail(path);
    if (larch_sha256(&key, 1, of_key) != LARCH_OK || larch_sha256(message, 2, of_message) != LARCH_OK)
        fail(path);
    at = put_hex(at, of_key, sizeof of_key, ' ');
    at = put_hex(at, nonce.data, nonce.len, ' ');
    at = put_hex(at, of_message, sizeof of_message, '\n');
    if (write(file, line, (size_t)(at - line)) != at - line)
        fail(path);
}
