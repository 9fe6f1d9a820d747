/* SPDX-License-Identifier: Apache-2.0 */
/* Paths: which service and function a request belongs to, and how /.well-known/core lists them. */
#include <string.h>

#include "node/server_int.h"

#define CORE_PATH ".well-known/core"
#define LINKS_MAX 512 /* bytes of the whole list */

/* ---- /.well-known/core [RFC6690] --------------------------------------------- */

/* A filter's value against an attribute's: equal, or with a trailing '*' a beginning of it. [RFC6690 4.1] */
static bool matches(larch_bytes filter, const char *text)
{
    larch_bytes value = larch_bytes_of_text(text);
    if (filter.len > 0 && filter.data[filter.len - 1] == '*') {
        filter.len--;
        if (value.len > filter.len)
            value.len = filter.len;
    }
    return larch_bytes_equal(filter, value);
}

/* One query "attribute=value". [RFC6690 4.1] */
static bool passes(const larch_resource *r, larch_bytes query)
{
    static const char rt[] = "rt=", href[] = "href=/";
    const size_t rt_len = sizeof rt - 1, href_len = sizeof href - 1;
    if (query.len >= rt_len && memcmp(query.data, rt, rt_len) == 0)
        return matches((larch_bytes){query.data + rt_len, query.len - rt_len}, r->rt);
    if (query.len >= href_len && memcmp(query.data, href, href_len) == 0)
        return matches((larch_bytes){query.data + href_len, query.len - href_len}, r->path);
    return false; /* no link has another attribute */
}

static bool is_listed(const larch_resource *r, const larch_coap_message *request)
{
    larch_coap_options options = larch_coap_options_of(request);
    larch_coap_option option;
    if (r->rt == NULL)
        return false;
    while (larch_coap_options_next(&options, &option))
        if (option.number == LARCH_COAP_OPT_URI_QUERY && !passes(r, option.value))
            return false;
    return true;
}

/* </path>;rt="type",... [RFC6690 2] */
static void list(larch_writer *w, const larch_service *service, const larch_coap_message *request)
{
    for (size_t i = 0; i < service->resource_count; i++) {
        const larch_resource *r = &service->resources[i];
        if (!is_listed(r, request))
            continue;
        larch_writer_put_text(w, w->len > 0 ? ",</" : "</");
        larch_writer_put_text(w, r->path);
        larch_writer_put_text(w, ">;rt=\"");
        larch_writer_put_text(w, r->rt);
        larch_writer_put_u8(w, '"');
        if (LARCH_SERVER_SESSIONS && r->attributes != NULL)
            larch_writer_put_text(w, r->attributes);
    }
}

static void get_core(void *context, const larch_request *rq)
{
    (void)context;
    uint8_t links[LINKS_MAX];
    larch_writer w = larch_writer_to(links, sizeof links);
    larch_answer answer = {.code = LARCH_COAP_CONTENT,
                           .is_safe = true,
                           .is_in_blocks = true,
                           .has_format = true,
                           .format = LARCH_COAP_FORMAT_LINK};
    for (size_t i = 0; i < rq->server->service_count; i++)
        list(&w, rq->server->services[i], rq->message);
    if (w.len == 0 && rq->multicast)
        return;
    if (larch_writer_finish(&w, &answer.body) != LARCH_OK)
        larch_request_refuse(rq, LARCH_COAP_INTERNAL_SERVER_ERROR, LARCH_TEXT("the list is too long"));
    else
        larch_request_answer(rq, &answer);
}

/* ---- dispatch ------------------------------------------------------------------ */

typedef void (*handler)(void *context, const larch_request *rq);

/* Whether the answer would have a format that the client takes. [RFC7252 5.10.4] */
static bool is_acceptable(const larch_coap_message *request, const larch_resource *r)
{
    larch_bytes value;
    uint32_t format;
    if (!larch_coap_option_find(request, LARCH_COAP_OPT_ACCEPT, &value))
        return true;
    if (larch_coap_option_uint(value, &format) != LARCH_OK)
        return false;
    const uint16_t *known = r->formats;
    while (*known != LARCH_COAP_FORMAT_NONE && *known != format)
        known++;
    return *known != LARCH_COAP_FORMAT_NONE;
}

static handler handler_of(const larch_resource *r, uint8_t code)
{
    switch (code) {
    case LARCH_COAP_GET:
        return r->get;
    case LARCH_COAP_POST:
        return r->post;
    case LARCH_COAP_PUT:
        return r->put;
    default:
        return NULL;
    }
}

/* service: NULL for the server's own resource. */
static void call(larch_request *rq, const larch_service *service, const larch_resource *r)
{
    larch_answer answer;
    const handler handle = handler_of(r, rq->message->code);
    rq->service = service;
    if (rq->ahead != NULL && rq->ahead->service != service)
        rq->ahead = NULL;
    if (rq->multicast && rq->message->type == LARCH_COAP_CON && !(r->posts_by_group && handle == r->post))
        return;
    if (r->is_protected && !larch_server_is_protected(rq->slot))
        larch_request_refuse(rq, LARCH_COAP_UNAUTHORIZED, LARCH_TEXT("OSCORE"));
    else if (handle == NULL)
        larch_request_refuse(rq, LARCH_COAP_METHOD_NOT_ALLOWED, (larch_bytes){0});
    else if (!is_acceptable(rq->message, r))
        larch_request_refuse(rq, LARCH_COAP_NOT_ACCEPTABLE, (larch_bytes){0});
    else if (service != NULL && service->body_max > 0 && larch_server_body_find(rq, &answer))
        larch_request_answer(rq, &answer);
    else
        handle(service != NULL ? service->context : NULL, rq);
}

static const uint16_t core_formats[] = {LARCH_COAP_FORMAT_LINK, LARCH_COAP_FORMAT_NONE};
static const larch_resource core = {.path = CORE_PATH, .get = get_core, .formats = core_formats};

static bool is_named(const larch_resource *r, const larch_coap_message *request)
{
    larch_bytes name;
    return r->is_parent ? larch_coap_path_is_below(request, r->path, &name) : larch_coap_path_is(request, r->path);
}

larch_bytes larch_request_name(const larch_request *rq)
{
    larch_coap_options options = larch_coap_options_of(rq->message);
    larch_coap_option option;
    larch_bytes name = {NULL, 0};
    while (larch_coap_options_next(&options, &option))
        if (option.number == LARCH_COAP_OPT_URI_PATH)
            name = option.value;
    return name;
}

static bool dispatch_to(larch_request *rq, const larch_service *service)
{
    for (size_t i = 0; i < service->resource_count; i++)
        if (is_named(&service->resources[i], rq->message)) {
            call(rq, service, &service->resources[i]);
            return true;
        }
    return false;
}

/* A request as it is: in plain, or opened. */
static void dispatch(larch_request *rq)
{
    if (larch_coap_path_is(rq->message, CORE_PATH)) {
        call(rq, NULL, &core);
        return;
    }
    for (size_t i = 0; i < rq->server->service_count; i++)
        if (dispatch_to(rq, rq->server->services[i]))
            return;
    if (!rq->multicast)
        larch_request_refuse(rq, LARCH_COAP_NOT_FOUND, (larch_bytes){0});
}

/* ---- protected requests ---------------------------------------------------------- */

#if LARCH_SERVER_SESSIONS
static void dispatch_inner(larch_request *rq)
{
    uint16_t bad;
    if (larch_coap_find_bad_option(rq->message, larch_server_understood, SERVER_UNDERSTOOD, &bad))
        larch_request_refuse(rq, LARCH_COAP_BAD_OPTION, (larch_bytes){0});
    else
        dispatch(rq);
}

/* Whether the request has an OSCORE option; then it is dispatched as what it protects, or answered. */
static bool open_protected(larch_request *rq)
{
    const larch_protection *protection = rq->server->config.protection;
    larch_coap_message inner;
    larch_bytes option;
    if (protection == NULL || !larch_coap_option_find(rq->message, LARCH_COAP_OPT_OSCORE, &option))
        return false;
    if (rq->multicast)
        return true;
    rq->ahead = NULL;
    if (protection->open(protection->context, rq, &inner, &rq->session, &rq->slot->protection)) {
        rq->message = &inner;
        dispatch_inner(rq);
    }
    protection->done(protection->context);
    return true;
}

/* An EDHOC option without an OSCORE option means nothing [RFC9668 3.3]. */
static bool has_early_alone(const larch_request *rq)
{
    larch_bytes value;
    return larch_coap_option_find(rq->message, LARCH_COAP_OPT_EDHOC, &value);
}
#else
static bool open_protected(larch_request *rq)
{
    (void)rq;
    return false;
}

static bool has_early_alone(const larch_request *rq)
{
    (void)rq;
    return false;
}
#endif

void larch_server_dispatch(larch_request *rq)
{
    if (open_protected(rq))
        return;
    if (has_early_alone(rq))
        larch_request_refuse(rq, LARCH_COAP_BAD_REQUEST, (larch_bytes){0});
    else
        dispatch(rq);
}
