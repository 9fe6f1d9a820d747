/* SPDX-License-Identifier: Apache-2.0 */
#include "device/qkd_fetch.h"

#define NAME "device"

#if LARCH_HAS_CURL

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "text/text.h"

#define ADDRESS_MAX 1024

/* ---- libcurl, loaded for this command alone: a gateway has no use for its pages ------------- */

#define LIBRARY "libcurl.so.4"
#define CALLS(X)      \
    X(global_init)    \
    X(global_cleanup) \
    X(free) X(easy_init) X(easy_cleanup) X(easy_escape) X(easy_setopt) X(easy_getinfo) X(easy_perform) X(easy_strerror)

#define MEMBER(name) __typeof__(&curl_##name) name;
static struct {
    CALLS(MEMBER)
} lib;

static bool find_call(void *library, const char *name, void *call)
{
    void *found = dlsym(library, name);
    memcpy(call, &found, sizeof found);
    return found != NULL;
}

static bool load(void)
{
    static bool is_loaded;
    void *library = is_loaded ? NULL : dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return is_loaded;
#define FIND(name) &&find_call(library, "curl_" #name, &lib.name)
    is_loaded = true CALLS(FIND);
    return is_loaded;
}

const char *device_qkd_missing(void)
{
    return load() ? NULL : LIBRARY " is not here, through which key delivery services are asked: install libcurl4";
}

/* ---- one request -------------------------------------------------------------------------------- */

/* Less than count ends the transfer. */
static size_t take(char *data, size_t size, size_t count, void *context)
{
    device_qkd_reply *reply = context;
    const size_t len = size * count;
    if (len > sizeof reply->body - reply->len)
        return 0;
    memcpy(reply->body + reply->len, data, len);
    reply->len += len;
    return len;
}

static bool make_address(CURL *curl, const device_qkd_service *s, const char *what, char address[ADDRESS_MAX])
{
    size_t len = strlen(s->url);
    while (len > 0 && s->url[len - 1] == '/')
        len--;
    char *sae = lib.easy_escape(curl, s->sae, 0);
    const int n =
        sae != NULL ? snprintf(address, ADDRESS_MAX, "%.*s/api/v1/keys/%s/%s", (int)len, s->url, sae, what) : -1;
    lib.free(sae);
    return n > 0 && n < ADDRESS_MAX;
}

/* No redirection, no proxy, no other scheme, no store of certificates but the file, no answer that is compressed. */
static CURLcode set_up(CURL *curl, const device_qkd_service *s, double timeout, const char *address, char *why,
                       device_qkd_reply *reply)
{
    const long ms = timeout * 1000 < 1 ? 1 : timeout * 1000 > 86400e3 ? 86400000L : (long)(timeout * 1000);
    CURLcode e = CURLE_OK;
#define SET(option, value) e = e == CURLE_OK ? lib.easy_setopt(curl, option, value) : e
    SET(CURLOPT_ERRORBUFFER, why);
    SET(CURLOPT_URL, address);
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, "https");
#else
    SET(CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, ms);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_CAINFO, s->cacert);
    SET(CURLOPT_CAPATH, NULL);
    SET(CURLOPT_SSLCERT, s->cert);
    SET(CURLOPT_SSLKEY, s->key);
    SET(CURLOPT_KEYPASSWD, ""); /* so that nobody is asked for one */
    SET(CURLOPT_WRITEFUNCTION, take);
    SET(CURLOPT_WRITEDATA, reply);
#undef SET
    return e;
}

static larch_exit complain_of_end(const device_qkd_service *s, const char *why)
{
    return larch_app_fail(
        NAME, "the key delivery service at %s ended the connection; it may not accept the certificate %s: %s", s->url,
        s->cert, why);
}

static larch_exit complain(CURLcode e, const device_qkd_service *s, double timeout, const char *why)
{
    const bool is_alert = strstr(why, "alert") != NULL;
    uint8_t text[512];
    larch_writer w = larch_writer_to(text, sizeof text - 1);
    larch_text_put_plain(&w, larch_text_first(larch_bytes_of_text(why[0] != '\0' ? why : lib.easy_strerror(e)), 120));
    text[w.len] = '\0';
    switch (e) {
    case CURLE_OPERATION_TIMEDOUT:
        return larch_app_fail(NAME,
                              "the key delivery service at %s did not answer within %g s: try again, or give --timeout",
                              s->url, timeout);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
        return larch_app_fail(NAME, "the key delivery service at %s cannot be reached: %s", s->url, text);
    case CURLE_PEER_FAILED_VERIFICATION:
        return larch_app_refuse(NAME, "%s is not a service that %s vouches for: %s", s->url, s->cacert, text);
    case CURLE_SSL_CACERT_BADFILE:
        return larch_app_fail(NAME, "--cacert %s: no file of certificates in PEM: %s", s->cacert, text);
    case CURLE_SSL_CERTPROBLEM:
        return larch_app_fail(NAME, "--cert %s and --key %s cannot be used: %s", s->cert, s->key, text);
    case CURLE_WRITE_ERROR:
        return larch_app_fail(NAME, "the answer of %s is longer than %d bytes", s->url, DEVICE_QKD_ANSWER_MAX);
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING: /* with TLS 1.3 the refusal of a client's certificate comes behind the handshake */
        return complain_of_end(s, is_alert ? (const char *)text : lib.easy_strerror(e));
    default:
        return is_alert ? complain_of_end(s, (const char *)text)
                        : larch_app_fail(NAME, "asking the key delivery service at %s: %s", s->url, text);
    }
}

larch_exit device_qkd_fetch(const device_qkd_service *s, double timeout, const char *what, device_qkd_reply *reply)
{
    char address[ADDRESS_MAX], why[CURL_ERROR_SIZE] = "";
    reply->status = 0;
    reply->len = 0;
    if (device_qkd_missing() != NULL)
        return larch_app_fail(NAME, "%s", device_qkd_missing());
    if (lib.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return larch_app_fail(NAME, "libcurl cannot be started");
    CURL *curl = lib.easy_init();
    CURLcode e = CURLE_FAILED_INIT;
    if (curl != NULL && make_address(curl, s, what, address) &&
        (e = set_up(curl, s, timeout, address, why, reply)) == CURLE_OK && (e = lib.easy_perform(curl)) == CURLE_OK)
        e = lib.easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status);
    const larch_exit code = e == CURLE_OK ? LARCH_EXIT_DONE : complain(e, s, timeout, why);
    lib.easy_cleanup(curl);
    lib.global_cleanup();
    return code;
}

#else

const char *device_qkd_missing(void)
{
    return "this larch was built without libcurl and asks no key delivery services: install libcurl4-openssl-dev and "
           "build it again";
}

larch_exit device_qkd_fetch(const device_qkd_service *s, double timeout, const char *what, device_qkd_reply *reply)
{
    (void)s;
    (void)timeout;
    (void)what;
    (void)reply;
    return larch_app_fail(NAME, "%s", device_qkd_missing());
}

#endif
