/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "larch/coap_message.h"

__attribute__((format(printf, 2, 3))) static int fail(larch_posix_reason *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
    why->unresolved = false;
    return -1;
}

/* ---- struct sockaddr --------------------------------------------------- */

bool larch_posix_peer_from_sockaddr(const struct sockaddr *address, larch_peer *out)
{
    larch_peer peer = {.address = {[10] = 0xff, [11] = 0xff}};
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        memcpy(peer.address + 12, &in.sin_addr, 4);
        peer.port = ntohs(in.sin_port);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        memcpy(peer.address, &in6.sin6_addr, 16);
        peer.scope = in6.sin6_scope_id;
        peer.port = ntohs(in6.sin6_port);
    } else {
        return false;
    }
    *out = peer;
    return true;
}

socklen_t larch_posix_peer_to_sockaddr(const larch_peer *peer, int family, struct sockaddr_storage *out)
{
    if (family == AF_INET6) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
        memcpy(&in6.sin6_addr, peer->address, 16);
        in6.sin6_scope_id = peer->scope;
        in6.sin6_port = htons(peer->port);
        memcpy(out, &in6, sizeof in6);
        return sizeof in6;
    }
    if (!larch_peer_is_ipv4(peer))
        return 0;
    struct sockaddr_in in = {.sin_family = AF_INET};
    memcpy(&in.sin_addr, peer->address + 12, 4);
    in.sin_port = htons(peer->port);
    memcpy(out, &in, sizeof in);
    return sizeof in;
}

/* ---- text -------------------------------------------------------------- */

static int parse_port(const char *text, size_t len, uint16_t *port, larch_posix_reason *why)
{
    uint32_t value = 0;
    bool good = len > 0 && len <= 5;
    for (size_t i = 0; good && i < len; i++) {
        good = text[i] >= '0' && text[i] <= '9';
        value = value * 10 + (uint32_t)(text[i] - '0');
    }
    if (!good || value > UINT16_MAX)
        return fail(why, "\"%.*s\" is not a port: a number up to 65535 is", (int)(len < 80 ? len : 80), text);
    *port = (uint16_t)value;
    return 0;
}

/* "::1:5683": an IPv6 address, or another one and a port. */
static bool is_ambiguous(const char *text, size_t len)
{
    char front[INET6_ADDRSTRLEN];
    struct in6_addr address;
    size_t digits = 0;
    while (digits < len && text[len - 1 - digits] >= '0' && text[len - 1 - digits] <= '9')
        digits++;
    if (digits == 0 || digits + 1 >= len || text[len - 1 - digits] != ':' || len - digits > sizeof front)
        return false;
    memcpy(front, text, len - 1 - digits);
    front[len - 1 - digits] = '\0';
    return inet_pton(AF_INET6, front, &address) == 1;
}

/* Parts "host", "host:port", "[v6]", "[v6]:port" and, where only an address can be meant, a bare "v6". */
static int split_host_port(const char *text, size_t len, char *host, size_t host_cap, uint16_t *port, bool *bracketed,
                           larch_posix_reason *why)
{
    const char *end = text + len, *host_end, *at = text;
    *bracketed = len > 0 && *text == '[';
    if (*bracketed) {
        at = text + 1;
        host_end = memchr(at, ']', (size_t)(end - at));
        if (host_end == NULL)
            return fail(why, "\"%.*s\" lacks a closing bracket", (int)(len < 120 ? len : 120), text);
        text = host_end + 1;
    } else {
        const char *colon = memchr(text, ':', len);
        const bool many = colon != NULL && memchr(colon + 1, ':', (size_t)(end - colon - 1)) != NULL;
        if (many && is_ambiguous(text, len))
            return fail(why, "\"%.*s\" may end in a port or not: write an IPv6 address in brackets",
                        (int)(len < 120 ? len : 120), text);
        host_end = colon != NULL && !many ? colon : end;
        text = host_end;
    }
    const size_t host_len = (size_t)(host_end - at);
    if (host_len == 0)
        return fail(why, "the host is missing");
    if (host_len >= host_cap)
        return fail(why, "the host is longer than %zu bytes", host_cap - 1);
    if (text != end && *text != ':')
        return fail(why, "\"%.*s\" follows the address where only a port may", (int)(end - text < 80 ? end - text : 80),
                    text);
    if (text != end && parse_port(text + 1, (size_t)(end - text - 1), port, why) != 0)
        return -1;
    memcpy(host, at, host_len);
    host[host_len] = '\0';
    return 0;
}

/* "7001" and "10.1": the system would take them for 0.0.27.89 and 10.0.0.1. */
static bool is_short_ipv4(const char *host)
{
    unsigned dots = 0;
    for (const char *at = host; *at != '\0'; at++)
        dots += *at == '.';
    return dots < 3 && strspn(host, "0123456789.") == strlen(host);
}

static bool needs_zone(const larch_peer *peer)
{
    const bool is_link_local = peer->address[0] == 0xfe && (peer->address[1] & 0xc0) == 0x80;
    const bool is_link_group = peer->address[0] == 0xff && (peer->address[1] & 0x0f) == 2;
    return (is_link_local || is_link_group) && peer->scope == 0;
}

/* Brackets hold an IPv6 address; without them it may be any address or a name. */
static int look_up(const char *host, uint16_t port, bool bracketed, larch_peer *out, larch_posix_reason *why)
{
    const struct addrinfo hints = {.ai_family = bracketed ? AF_INET6 : AF_UNSPEC,
                                   .ai_socktype = SOCK_DGRAM,
                                   .ai_flags = bracketed ? AI_NUMERICHOST : 0};
    struct addrinfo *found = NULL;
    larch_peer peer;
    if (is_short_ipv4(host))
        return fail(why, "\"%.160s\" is no address; write one in full, as in 192.0.2.1:5683 or [::]:5683", host);
    const int e = getaddrinfo(host, NULL, &hints, &found);
    if (e != 0 && bracketed)
        return fail(why, "[%.160s] is not an IPv6 address%s", host,
                    strchr(host, '%') != NULL ? " on an interface of this system" : "");
    if (e != 0) {
        (void)fail(why, "%.160s: %s", host, gai_strerror(e));
        why->unresolved = strchr(host, ':') == NULL; /* a name has none */
        return -1;
    }
    const bool usable = larch_posix_peer_from_sockaddr(found->ai_addr, &peer);
    freeaddrinfo(found);
    if (!usable)
        return fail(why, "%.160s: neither an IPv4 nor an IPv6 address", host);
    if (needs_zone(&peer))
        return fail(why, "%.160s holds on one link alone: name its interface, as in [%.160s%%eth0]", host, host);
    peer.port = port;
    *out = peer;
    return 0;
}

int larch_posix_peer_parse(const char *text, uint16_t default_port, larch_peer *out, larch_posix_reason *why)
{
    char host[256];
    uint16_t port = default_port;
    bool bracketed;
    if (split_host_port(text, strlen(text), host, sizeof host, &port, &bracketed, why) != 0)
        return -1;
    return look_up(host, port, bracketed, out, why);
}

/* ---- URIs -------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Undoes percent-encoding. An encoded separator is refused: decoded, it would part what it does not. */
static int decode(const char *what, const char *text, size_t len, char separator, char *out, size_t cap,
                  larch_posix_reason *why)
{
    size_t at = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%') {
            const int high = len - i > 2 ? hex_digit(text[i + 1]) : -1;
            const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
            if (low < 0)
                return fail(why, "the %s has a %% without two hexadecimal digits", what);
            c = (char)(high << 4 | low);
            if (c == '\0' || c == separator)
                return fail(why, "the %s has %.3s, which larch cannot express", what, text + i);
            i += 2;
        } else if ((unsigned char)c <= ' ' || c == 0x7f) {
            return fail(why, "the %s has a blank or control character", what);
        }
        if (at + 1 >= cap)
            return fail(why, "the %s is longer than %zu bytes", what, cap - 1);
        out[at++] = c;
    }
    out[at] = '\0';
    return 0;
}

/* "." and ".." are no path segments in CoAP [RFC7252 5.10.1]. */
static int check_segments(const char *path, larch_posix_reason *why)
{
    while (path != NULL) {
        const char *slash = strchr(path, '/');
        const size_t len = slash != NULL ? (size_t)(slash - path) : strlen(path);
        if ((len == 1 && path[0] == '.') || (len == 2 && path[0] == '.' && path[1] == '.'))
            return fail(why, "the path has a \".\" or \"..\" segment");
        path = slash != NULL ? slash + 1 : NULL;
    }
    return 0;
}

/* Where the host stands as "fe80::1%25eth0" [RFC6874], the kernel wants "fe80::1%eth0". */
static void decode_zone(char *host)
{
    char *percent = strstr(host, "%25");
    if (percent != NULL && percent[3] != '\0')
        memmove(percent + 1, percent + 3, strlen(percent + 3) + 1);
}

int larch_posix_uri_parse(const char *text, larch_posix_uri *out, larch_posix_reason *why)
{
    static const char scheme[] = "coap://";
    const size_t scheme_len = sizeof scheme - 1;
    larch_posix_uri uri = {.host = ""};
    uint16_t port = LARCH_COAP_PORT;
    bool bracketed;

    if (strncasecmp(text, "coaps:", 6) == 0)
        return fail(why, "coaps:// means DTLS, which larch does not speak; it protects messages itself over coap://");
    if (strncasecmp(text, scheme, scheme_len) != 0)
        return fail(why, "\"%.120s\" is not a URI of the form coap://host[:port][/path][?query]", text);
    if (strchr(text, '#') != NULL)
        return fail(why, "a coap:// URI has no #fragment");

    const char *authority = text + scheme_len;
    const char *path = authority + strcspn(authority, "/?");
    const char *query = path + strcspn(path, "?");
    size_t authority_len = (size_t)(path - authority);
    if (memchr(authority, '@', authority_len) != NULL)
        return fail(why, "a coap:// URI has no user@");
    if (authority_len > 0 && authority[authority_len - 1] == ':')
        authority_len--; /* an empty port is the default one [RFC3986 3.2.3] */
    if (split_host_port(authority, authority_len, uri.host, sizeof uri.host, &port, &bracketed, why) != 0)
        return -1;
    if (!bracketed && strpbrk(uri.host, ":%") != NULL)
        return fail(why, "write an IPv6 address in brackets: coap://[%.160s]/", uri.host);
    if (port == 0)
        return fail(why, "port 0 names no service");
    decode_zone(uri.host);

    if (*path == '/' &&
        (decode("path", path + 1, (size_t)(query - path - 1), '/', uri.path, sizeof uri.path, why) != 0 ||
         check_segments(uri.path, why) != 0))
        return -1;
    if (*query == '?' && decode("query", query + 1, strlen(query + 1), '&', uri.query, sizeof uri.query, why) != 0)
        return -1;
    if (look_up(uri.host, port, bracketed, &uri.peer, why) != 0)
        return -1;
    *out = uri;
    return 0;
}
