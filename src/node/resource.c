/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's paths: what each serves, and how /.well-known/core lists them. */
#include <string.h>

#include "node/gateway_int.h"

typedef struct resource {
    const char *path;
    const char *rt; /* resource type [RFC6690 3.1]; NULL: not listed */
    void (*get)(const gateway_request *rq);
    void (*post)(const gateway_request *rq);
} resource;

static void get_core(const gateway_request *rq);

static const resource resources[] = {
    {".well-known/core", NULL, get_core, NULL},
    {LARCH_DIRECT_PATH_KEY, "larch.key", larch_gateway_get_key, larch_gateway_post_key},
    {LARCH_DIRECT_PATH_DATA, "larch.sealed", NULL, larch_gateway_post_sealed},
    {LARCH_DIRECT_PATH_NEXT, "larch.next", NULL, larch_gateway_post_next},
};

#define RESOURCES (sizeof resources / sizeof resources[0])

static larch_bytes text_of(const char *text) { return (larch_bytes){(const uint8_t *)text, strlen(text)}; }

/* A filter's value against an attribute's: equal, or with a trailing '*' a beginning of it. [RFC6690 4.1] */
static bool matches(larch_bytes filter, larch_bytes value)
{
    if (filter.len > 0 && filter.data[filter.len - 1] == '*') {
        filter.len--;
        if (value.len > filter.len)
            value.len = filter.len;
    }
    return larch_bytes_equal(filter, value);
}

static bool is_listed(const resource *r, const larch_coap_message *request)
{
    larch_bytes filter;
    if (r->rt == NULL)
        return false;
    if (larch_coap_query_find(request, "rt", &filter) && !matches(filter, text_of(r->rt)))
        return false;
    if (larch_coap_query_find(request, "href", &filter)) {
        if (filter.len == 0 || filter.data[0] != '/')
            return false;
        return matches((larch_bytes){filter.data + 1, filter.len - 1}, text_of(r->path));
    }
    return true;
}

/* </path>;rt="type",... [RFC6690 2] */
static void get_core(const gateway_request *rq)
{
    uint8_t links[160];
    larch_writer w = larch_writer_to(links, sizeof links);
    larch_coap_slice slice;
    larch_coap_builder b;
    larch_bytes all;

    for (size_t i = 0; i < RESOURCES; i++) {
        if (!is_listed(&resources[i], &rq->event->message))
            continue;
        larch_writer_put(&w, w.len > 0 ? LARCH_TEXT(",</") : LARCH_TEXT("</"));
        larch_writer_put(&w, text_of(resources[i].path));
        larch_writer_put(&w, LARCH_TEXT(">;rt=\""));
        larch_writer_put(&w, text_of(resources[i].rt));
        larch_writer_put_u8(&w, '"');
    }
    if (w.len == 0 && rq->event->multicast)
        return;
    if (larch_writer_finish(&w, &all) != LARCH_OK ||
        larch_coap_block2_slice(&rq->event->message, all, &slice) != LARCH_OK) {
        larch_gateway_answer_text(rq, LARCH_COAP_BAD_REQUEST, LARCH_TEXT("no such block"), false);
        return;
    }
    if (larch_gateway_answer(rq, LARCH_COAP_CONTENT, &b) != LARCH_OK)
        return;
    larch_coap_build_option_uint(&b, LARCH_COAP_OPT_CONTENT_FORMAT, LARCH_COAP_FORMAT_LINK);
    larch_coap_block2_build(&b, &slice, all.len);
    if (slice.bytes.len > 0)
        larch_coap_build_payload(&b, slice.bytes);
    larch_gateway_answer_end(rq, &b, false);
}

void larch_gateway_dispatch(const gateway_request *rq)
{
    const larch_coap_message *request = &rq->event->message;
    for (size_t i = 0; i < RESOURCES; i++) {
        if (!larch_coap_path_is(request, resources[i].path))
            continue;
        void (*handle)(const gateway_request *) = request->code == LARCH_COAP_GET    ? resources[i].get
                                                  : request->code == LARCH_COAP_POST ? resources[i].post
                                                                                     : NULL;
        if (handle != NULL)
            handle(rq);
        else
            larch_gateway_answer_text(rq, LARCH_COAP_METHOD_NOT_ALLOWED, (larch_bytes){0}, false);
        return;
    }
    larch_gateway_answer_text(rq, LARCH_COAP_NOT_FOUND, (larch_bytes){0}, false);
}
