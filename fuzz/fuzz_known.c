/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The known-gateways file, of this format and of the older one. The first byte picks what is asked for and put; the rest
 * is the file, in which a byte from 0x80 on stands for a sound line, of which it picks one. Whatever the file holds: a
 * damaged one is neither read nor changed, the older one never is; after a change the record is found, an identity gives
 * its name to no other, and every line of other records stands as it did.
 */
#include "file.h"
#include "larch/crypto.h"
#include "send/known_int.h"

enum { FILE_MAX = 1 << 17, PUTS = 5, LINES = 16 };

static const char *const names[] = {"gw.example:5683", "[::1]:5683", "localhost:5683"}; /* the last two are one */
static larch_known puts_of[PUTS]; /* identity A, with keys, under two names; B under one; keys under two */
static char lines[LINES][KNOWN_LINE_MAX];
static uint8_t file[FILE_MAX], before[FILE_MAX], after[FILE_MAX + 4 * KNOWN_LINE_MAX];
static char why[LARCH_KNOWN_WHY_MAX];

static void make_key(const larch_kem *kem, uint8_t seed_byte, uint8_t *ek)
{
    static uint8_t dk[LARCH_KEM_DK_MAX];
    uint8_t seed[LARCH_KEM_SEED_LEN];
    memset(seed, seed_byte, sizeof seed);
    require(larch_kem_keygen(kem, seed, ek, dk) == LARCH_OK);
}

static void make_record(unsigned i)
{
    larch_known *r = &puts_of[i];
    uint8_t hash[32];
    r->kem = larch_kem_at(i == 2 ? 1 : 0);
    r->has_keys = true;
    (void)snprintf(r->name, sizeof r->name, "%s", names[i == 1 || i == 4 ? 1 : 0]);
    make_key(r->kem, (uint8_t)(i + 1), r->ek);
    if (i < 3) {
        r->pin.kind = LARCH_FINGERPRINT_IDENTITY;
        memset(r->pin.bytes, i == 2 ? 'B' : 'A', sizeof r->pin.bytes);
        make_key(r->kem, (uint8_t)(i + 0x11), r->root_ek);
        r->endorsed_s = 1790000000 + i;
    } else {
        require(larch_direct_key_hash((larch_bytes){r->ek, r->kem->ek_len}, hash) == LARCH_OK);
        r->pin.kind = LARCH_FINGERPRINT_KEY;
        memcpy(r->pin.bytes, hash, sizeof r->pin.bytes);
        memset(r->began, (int)i, sizeof r->began);
    }
}

static void make_records(void)
{
    static bool made;
    unsigned line = 0;
    if (made)
        return;
    made = true;
    require(larch_crypto_init() == LARCH_OK);
    (void)snprintf(lines[line++], sizeof lines[0], "%s", known_first_line);
    for (unsigned i = 0; i < PUTS; i++) {
        make_record(i);
        if (i < 3) {
            known_line_format(KNOWN_IDENTITY, &puts_of[i], lines[line++]);
            known_line_format(KNOWN_NAME, &puts_of[i], lines[line++]);
            known_line_format(KNOWN_SET, &puts_of[i], lines[line++]);
        } else {
            known_line_format(KNOWN_KEY, &puts_of[i], lines[line]);
            memcpy(lines[line + 1], lines[line] + strlen("key "), sizeof lines[0] - strlen("key ")); /* older format */
            line += 2;
        }
    }
    (void)snprintf(lines[line], sizeof lines[0], "# a comment\n");
    require(line < LINES);
}

static size_t unfold(const uint8_t *data, size_t size)
{
    larch_writer w = larch_writer_to(file, sizeof file);
    for (size_t i = 0; i < size && w.len + KNOWN_LINE_MAX < sizeof file; i++) {
        const char *line = lines[(data[i] & 0x7f) % LINES];
        if ((data[i] & 0x80) != 0)
            larch_writer_put(&w, (larch_bytes){(const uint8_t *)line, strlen(line)});
        else
            larch_writer_put_u8(&w, data[i]);
    }
    return w.len;
}

static size_t read_all(const char *path, uint8_t *out, size_t cap)
{
    FILE *f = fopen(path, "rb");
    const size_t len = f != NULL ? fread(out, 1, cap, f) : 0;
    require(f == NULL || fclose(f) == 0);
    return len;
}

/* Whether a line is about the record that was put: such may change. */
static bool is_of(const uint8_t *line, size_t len, const larch_known *put)
{
    static char cut[FILE_MAX];
    known_kind kind;
    larch_known content;
    const larch_fingerprint any = put->pin;
    memcpy(cut, line, len - 1);
    cut[len - 1] = '\0';
    (void)known_line_parse(cut, &any, &kind, &content);
    return (kind == KNOWN_SET && content.kem == put->kem) ||
           (kind == KNOWN_KEY && known_is_same_name(content.name, put->name));
}

/* Every other line of the one stands in the other, in its order. */
static void check_others(size_t before_len, size_t after_len, const larch_known *put)
{
    size_t at = 0;
    for (size_t i = 0; i < before_len;) {
        const uint8_t *end = memchr(before + i, '\n', before_len - i);
        const size_t len = (size_t)(end - (before + i)) + 1;
        while (!is_of(before + i, len, put)) {
            const uint8_t *next = at < after_len ? memchr(after + at, '\n', after_len - at) : NULL;
            require(next != NULL);
            const size_t next_len = (size_t)(next - (after + at)) + 1;
            const bool found = next_len == len && memcmp(after + at, before + i, len) == 0;
            at += next_len;
            if (found)
                break;
        }
        i += len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static larch_known_place place;
    larch_known found, again;
    bool near;
    if (size < 1)
        return 0;
    make_records();
    const larch_known *put = &puts_of[data[0] % PUTS];
    const size_t len = unfold(data + 1, size - 1);
    const char *given = file_with((larch_bytes){file, len});
    memset(why, 0, sizeof why);
    require(larch_known_find_place(given, &place, why) == LARCH_OK);
    const bool old = place.old[0] != '\0';
    if (old)
        (void)unlink(place.path);
    const larch_error e = larch_known_find(&place, put->name, put->kem, &found, why);
    require(e == LARCH_OK || e == LARCH_STATE || (e == LARCH_MALFORMED && why[0] != '\0'));
    require((e == LARCH_OK) == (found.pin.kind != 0));
    require(e != LARCH_OK || (known_is_same_name(found.name, put->name) && found.kem == put->kem));
    require(!old || found.pin.kind != LARCH_FINGERPRINT_IDENTITY);
    if (e == LARCH_OK && found.pin.kind == LARCH_FINGERPRINT_IDENTITY)
        require(larch_known_find_identity(&place, found.pin.bytes, put->name, put->kem, &again, &near, why) ==
                    LARCH_OK &&
                near);

    if (!old)
        memcpy(before, file, len);
    if ((data[0] & 0x80) != 0)
        found.pin.bytes[0] ^= 1; /* somebody else changed it since */
    const larch_error changed = larch_known_put(&place, put, &found, why);
    const size_t same_len = read_all(given, after, sizeof after);
    if (old || changed != LARCH_OK)
        require(same_len == len && memcmp(after, file, len) == 0);
    if (changed != LARCH_OK) {
        require(changed == (e == LARCH_MALFORMED ? LARCH_MALFORMED : LARCH_STATE) && why[0] != '\0');
    } else {
        require(e != LARCH_MALFORMED);
        require(larch_known_find(&place, put->name, put->kem, &again, why) == LARCH_OK);
        require(again.pin.kind == put->pin.kind && memcmp(again.pin.bytes, put->pin.bytes, sizeof put->pin.bytes) == 0);
        /* An identity that is on record under the name gives way to none, and a key only to what the caller saw. */
        require(e != LARCH_OK || found.pin.kind != LARCH_FINGERPRINT_IDENTITY ||
                memcmp(found.pin.bytes + 1, put->pin.bytes + 1, sizeof put->pin.bytes - 1) == 0);
        if (!old)
            check_others(len, same_len, put);
    }
    if (old)
        (void)unlink(place.path);
    return 0;
}
