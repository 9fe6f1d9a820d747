/* SPDX-License-Identifier: Apache-2.0 */
/* What the server asks of the OSCORE service. */
#include "larch/oscore_service.h"

#include <string.h>

#include "base/siphash.h"
#include "node/oscore_service_int.h"

#if LARCH_SERVER_SESSIONS

static const uint16_t formats[] = {LARCH_COAP_FORMAT_TEXT,       LARCH_COAP_FORMAT_JSON,       LARCH_COAP_FORMAT_CBOR,
                                   LARCH_COAP_FORMAT_SENML_JSON, LARCH_COAP_FORMAT_SENML_CBOR, LARCH_COAP_FORMAT_NONE};

static const larch_resource resources[] = {
    {.path = READING_PATH,
     .get = larch_oscore_get_reading,
     .post = larch_oscore_post_reading,
     .put = larch_oscore_post_reading,
     .is_parent = true,
     .is_protected = true,
     .formats = formats},
};

/* An identity lies in the driver's storage, with the message: there is no mark to keep beside it. */
static larch_error keep(void *context, const larch_acceptance *message)
{
    (void)context;
    (void)message;
    return LARCH_OK;
}

static void drop(void *context, const larch_acceptance *message)
{
    (void)context;
    (void)message;
}

static larch_error commit(void *context)
{
    (void)context;
    return LARCH_OK;
}

static bool is_durable(const void *context)
{
    (void)context;
    return true;
}

static void take_event(void *context, larch_server *srv, uint64_t now_ms, const larch_coap_event *event)
{
    (void)srv;
    larch_oscore_take_command_event(context, now_ms, event);
    larch_oscore_take_watch_event(context, event);
}

static void maintain(void *context, larch_server *srv, uint64_t now_ms)
{
    larch_oscore_send_commands(context, srv, now_ms);
    larch_oscore_send_watches(context, srv, now_ms);
}

static uint64_t deadline_ms(const void *context)
{
    const uint64_t command_ms = larch_oscore_commands_due_ms(context), watch_ms = larch_oscore_watches_due_ms(context);
    return command_ms < watch_ms ? command_ms : watch_ms;
}

static void wipe(void *context)
{
    larch_oscore_clear_commands(context);
    larch_wipe(context, sizeof(larch_oscore_service));
}

static const larch_service service = {.name = "oscore",
                                      .resources = resources,
                                      .resource_count = sizeof resources / sizeof resources[0],
                                      .text_max = LARCH_COAP_BODY_MAX + LARCH_READING_NAME_MAX,
                                      .keep = keep,
                                      .drop = drop,
                                      .commit = commit,
                                      .is_durable = is_durable,
                                      .conclude = larch_oscore_conclude,
                                      .take_event = take_event,
                                      .maintain = maintain,
                                      .deadline_ms = deadline_ms,
                                      .wipe = wipe};

static bool is_complete(const larch_oscore_config *config)
{
    return config->contexts != NULL && config->epochs != NULL && config->kept_count > 0 &&
           (config->kept_count & (config->kept_count - 1)) == 0 && config->kept != NULL && config->kept_bytes_len > 0 &&
           config->kept_bytes != NULL && (config->watch_count == 0 || config->watches != NULL) &&
           config->command_count < LARCH_COAP_TRANSMISSIONS &&
           (config->command_count == 0 || (config->commands != NULL && config->command_scratch != NULL));
}

larch_error larch_oscore_service_init(larch_oscore_service *oscore, const larch_oscore_config *config,
                                      const larch_random *random)
{
    uint64_t key[2];
    memset(oscore, 0, sizeof *oscore);
    if (!is_complete(config))
        return LARCH_STATE;
    const larch_error e = larch_siphash_key(random, key);
    if (e != LARCH_OK)
        return e;
    memcpy(oscore->key, key, sizeof key);
    oscore->config = *config;
    oscore->kept = larch_ring_of(config->kept_bytes, config->kept_bytes_len);
    larch_zero_lazily(config->kept, config->kept_count * sizeof *config->kept);
    larch_zero_lazily(config->watches, config->watch_count * sizeof *config->watches);
    larch_oscore_clear_commands(oscore);
    oscore->service = service;
    oscore->service.context = oscore;
    if (config->readings == NULL) {
        oscore->service.resource_count = 0;
        oscore->service.text_max = 0;
    }
    oscore->protection = (larch_protection){.context = oscore,
                                            .takes_early = config->handshakes != NULL,
                                            .open = larch_oscore_layer_open,
                                            .done = larch_oscore_layer_done,
                                            .draft = larch_oscore_layer_draft,
                                            .protect = larch_oscore_layer_protect};
    return LARCH_OK;
}

#endif
