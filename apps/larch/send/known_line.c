/* SPDX-License-Identifier: Apache-2.0 */
/* One line of the known-gateways file: words with one space between. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "larch/crypto.h"
#include "send/known_int.h"

#define CHECK_LEN 8
#define WORDS_MAX 6

const char known_first_line[] = "larch-gateways 2\n";
const char known_comment[] =
    "# Gateways that `larch send` trusts. One with an identity has a record of several lines:\n"
    "#     identity FINGERPRINT\n"
    "#     name HOST:PORT                    it was reached under; a line each\n"
    "#     set SET ENDORSED ROOT KEY CHECK   of each parameter set: the root's public key, the direct key that it\n"
    "#                                       endorsed and when, in seconds since 1970; the start of the SHA-256 of "
    "the\n"
    "#                                       identity and this line\n"
    "# One without has a line for each parameter set: the fingerprint that trust began with, the present key's, the "
    "key.\n"
    "#     key HOST:PORT SET BEGAN PRESENT KEY\n"
    "# To forget a gateway delete its lines.\n";

/* ---- names ----------------------------------------------------------------- */

/* The length of the host in "host:port". */
static size_t host_len(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon != NULL ? (size_t)(colon - name) : strlen(name);
}

/* "[ADDRESS]:port". An IPv6 address can be written in several ways. */
static bool parse_ipv6(const char *name, struct in6_addr *address)
{
    char text[INET6_ADDRSTRLEN];
    const size_t len = host_len(name);
    if (name[0] != '[' || len < 3 || len - 2 >= sizeof text || name[len - 1] != ']')
        return false;
    memcpy(text, name + 1, len - 2);
    text[len - 2] = '\0';
    return inet_pton(AF_INET6, text, address) == 1;
}

bool known_is_loopback(const char *name)
{
    static const char *const hosts[] = {"localhost", "127.0.0.1"};
    struct in6_addr address;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        if (host_len(name) == strlen(hosts[i]) && memcmp(name, hosts[i], strlen(hosts[i])) == 0)
            return true;
    return parse_ipv6(name, &address) && memcmp(&address, &in6addr_loopback, sizeof address) == 0;
}

bool known_is_same_host(const char *a, const char *b)
{
    struct in6_addr of_a, of_b;
    return (known_is_loopback(a) && known_is_loopback(b)) ||
           (host_len(a) == host_len(b) && memcmp(a, b, host_len(a)) == 0) ||
           (parse_ipv6(a, &of_a) && parse_ipv6(b, &of_b) && memcmp(&of_a, &of_b, sizeof of_a) == 0);
}

bool known_is_same_name(const char *a, const char *b)
{
    return known_is_same_host(a, b) && strcmp(a + host_len(a), b + host_len(b)) == 0;
}

/* ---- words ----------------------------------------------------------------- */

/* Cuts the line at single spaces. Returns how many words it has; 0: an empty one, or too many. */
static size_t cut_words(char *line, char *words[WORDS_MAX])
{
    size_t count = 0;
    for (;;) {
        const size_t len = strcspn(line, " ");
        if (len == 0 || count == WORDS_MAX)
            return 0;
        words[count++] = line;
        if (line[len] == '\0')
            return count;
        line[len] = '\0';
        line += len + 1;
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_hex(const char *text, uint8_t *out, size_t len)
{
    if (strlen(text) != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        const int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static size_t put_hex(char *out, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
    return 2 * len;
}

static bool parse_fingerprint(const char *text, larch_fingerprint_kind kind, larch_fingerprint *out)
{
    return larch_fingerprint_parse((larch_bytes){(const uint8_t *)text, strlen(text)}, out) == LARCH_OK &&
           out->kind == kind;
}

static bool parse_name(const char *text, larch_known *content)
{
    const size_t len = strlen(text), host = host_len(text);
    if (len > LARCH_KNOWN_NAME_MAX || host == 0 || host + 1 >= len)
        return false;
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return false;
    memcpy(content->name, text, len + 1);
    return true;
}

static bool parse_set(const char *text, larch_known *content)
{
    content->kem = larch_direct_kem_named((larch_bytes){(const uint8_t *)text, strlen(text)});
    return content->kem != NULL;
}

static bool parse_time(const char *text, uint64_t *out)
{
    if (text[0] == '\0' || strlen(text) > 12 || strspn(text, "0123456789") != strlen(text))
        return false;
    *out = strtoull(text, NULL, 10);
    return true;
}

static bool parse_key(const char *text, const larch_kem *kem, uint8_t *ek)
{
    return parse_hex(text, ek, kem->ek_len) && larch_kem_check_ek(kem, (larch_bytes){ek, kem->ek_len}) == LARCH_OK;
}

/* ---- lines ----------------------------------------------------------------- */

/* Of a set's line up to its check, which holds it together with its identity: a slip in either shows. */
static bool compute_check(const larch_fingerprint *identity, const larch_known *content, char check[2 * CHECK_LEN + 1])
{
    uint8_t hash[LARCH_SHA256_LEN];
    const char *set = larch_direct_kem_name(content->kem);
    char when[24];
    const int when_len = snprintf(when, sizeof when, "%llu", (unsigned long long)content->endorsed_s);
    const larch_bytes pieces[] = {LARCH_BYTES(identity->bytes),
                                  {(const uint8_t *)set, strlen(set)},
                                  {(const uint8_t *)when, (size_t)when_len},
                                  {content->root_ek, content->kem->ek_len},
                                  {content->ek, content->kem->ek_len}};
    if (larch_sha256(pieces, sizeof pieces / sizeof pieces[0], hash) != LARCH_OK)
        return false;
    (void)put_hex(check, hash, CHECK_LEN);
    return true;
}

static bool parse_key_words(char *const words[5], larch_known *content)
{
    larch_fingerprint began;
    uint8_t hash[32];
    if (!parse_name(words[0], content) || !parse_set(words[1], content) ||
        !parse_fingerprint(words[2], LARCH_FINGERPRINT_KEY, &began) ||
        !parse_fingerprint(words[3], LARCH_FINGERPRINT_KEY, &content->pin) ||
        !parse_key(words[4], content->kem, content->ek) ||
        larch_direct_key_hash((larch_bytes){content->ek, content->kem->ek_len}, hash) != LARCH_OK)
        return false;
    memcpy(content->began, began.bytes, sizeof content->began);
    content->has_keys = true;
    return memcmp(hash, content->pin.bytes, sizeof content->pin.bytes) == 0; /* a slip in either shows */
}

static bool parse_set_words(char *const words[5], const larch_fingerprint *identity, larch_known *content)
{
    char check[2 * CHECK_LEN + 1];
    content->pin = *identity;
    content->has_keys = true;
    return parse_set(words[0], content) && parse_time(words[1], &content->endorsed_s) &&
           parse_key(words[2], content->kem, content->root_ek) && parse_key(words[3], content->kem, content->ek) &&
           memcmp(content->root_ek, content->ek, content->kem->ek_len) != 0 &&
           compute_check(identity, content, check) && strcmp(check, words[4]) == 0;
}

const char *known_line_parse(char *cut, const larch_fingerprint *identity, known_kind *kind, larch_known *content)
{
    static const struct {
        const char *word;
        known_kind kind;
        size_t count;
    } rows[] = {{"identity", KNOWN_IDENTITY, 2}, {"name", KNOWN_NAME, 2}, {"set", KNOWN_SET, 6}, {"key", KNOWN_KEY, 6}};
    char *words[WORDS_MAX];
    bool sound = false;
    memset(content, 0, sizeof *content);
    *kind = KNOWN_COMMENT;
    if (cut[0] == '#' || cut[0] == '\0')
        return NULL;
    const size_t count = cut_words(cut, words);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && count > 0; i++)
        if (strcmp(words[0], rows[i].word) == 0 && count == rows[i].count)
            *kind = rows[i].kind;
    if ((*kind == KNOWN_NAME || *kind == KNOWN_SET) && identity == NULL)
        return "belongs to no identity; repair or delete it";
    if (*kind == KNOWN_IDENTITY)
        sound = parse_fingerprint(words[1], LARCH_FINGERPRINT_IDENTITY, &content->pin);
    else if (*kind == KNOWN_NAME)
        sound = parse_name(words[1], content);
    else if (*kind == KNOWN_SET)
        sound = parse_set_words(words + 1, identity, content);
    else if (*kind == KNOWN_KEY)
        sound = parse_key_words(words + 1, content);
    return sound ? NULL : "is damaged; repair or delete it";
}

const char *known_line_parse_old(char *cut, larch_known *content)
{
    char *words[WORDS_MAX];
    memset(content, 0, sizeof *content);
    return cut_words(cut, words) == 5 && parse_key_words(words, content) ? NULL : "is damaged; repair or delete it";
}

void known_line_format(known_kind kind, const larch_known *content, char *text)
{
    char pin[LARCH_FINGERPRINT_TEXT_LEN + 1], began[LARCH_FINGERPRINT_TEXT_LEN + 1], check[2 * CHECK_LEN + 1] = "";
    const char *set = content->kem != NULL ? larch_direct_kem_name(content->kem) : "";
    int len = 0;
    larch_fingerprint_format(content->pin.kind, content->pin.bytes, pin);
    larch_fingerprint_format(LARCH_FINGERPRINT_KEY, content->began, began);
    if (kind == KNOWN_IDENTITY)
        len = snprintf(text, KNOWN_LINE_MAX, "identity %s", pin);
    else if (kind == KNOWN_NAME)
        len = snprintf(text, KNOWN_LINE_MAX, "name %s", content->name);
    else if (kind == KNOWN_SET)
        len = snprintf(text, KNOWN_LINE_MAX, "set %s %llu ", set, (unsigned long long)content->endorsed_s);
    else if (kind == KNOWN_KEY)
        len = snprintf(text, KNOWN_LINE_MAX, "key %s %s %s %s ", content->name, set, began, pin);
    char *end = text + len;
    if (kind == KNOWN_SET) {
        end += put_hex(end, content->root_ek, content->kem->ek_len);
        *end++ = ' ';
    }
    if (kind == KNOWN_SET || kind == KNOWN_KEY)
        end += put_hex(end, content->ek, content->kem->ek_len);
    if (kind == KNOWN_SET && compute_check(&content->pin, content, check)) {
        *end++ = ' ';
        memcpy(end, check, sizeof check - 1);
        end += sizeof check - 1;
    }
    memcpy(end, "\n", 2);
}
