/* SPDX-License-Identifier: Apache-2.0 */
/* The device's life, its one session, and what its server asks of it. */
#include "node/device_int.h"

#if LARCH_SERVER_SESSIONS

#include <string.h>

/* ---- the session ------------------------------------------------------------ */

static larch_session *find(void *context, larch_bytes kid, larch_bytes kid_context)
{
    larch_device *device = context;
    const larch_oscore_context *o = &device->session.oscore;
    const bool has_context = o->id_context_len <= LARCH_OSCORE_ID_CONTEXT_MAX;
    if (!larch_bytes_equal(kid, (larch_bytes){o->recipient_id, o->recipient_id_len}))
        return NULL;
    if (kid_context.data == NULL)
        return &device->session;
    return has_context && larch_bytes_equal(kid_context, (larch_bytes){o->id_context, o->id_context_len})
               ? &device->session
               : NULL;
}

static larch_session *find_number(void *context, uint64_t number)
{
    larch_device *device = context;
    return number == device->session.number ? &device->session : NULL;
}

static larch_error raise_epoch(void *context, uint64_t epoch)
{
    const larch_device *device = context;
    return device->config.raise(device->config.context, epoch);
}

/* Nothing of a device can be observed. */
static larch_error add_observation(void *context, const larch_observation *observation)
{
    (void)context;
    (void)observation;
    return LARCH_SPACE;
}

static larch_error end_observation(void *context, const larch_observation *observation)
{
    (void)context;
    (void)observation;
    return LARCH_OK;
}

static larch_error take_number(void *context, uint64_t now_ms, uint64_t *number)
{
    larch_device *device = context;
    return larch_epochs_take(&device->epochs, &device->session, now_ms, number);
}

/* ---- the services ------------------------------------------------------------ */

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

static void rest(void *context, larch_server *srv, uint64_t now_ms)
{
    (void)context;
    (void)srv;
    (void)now_ms;
}

static uint64_t never(const void *context)
{
    (void)context;
    return UINT64_MAX;
}

static void keep_memory(void *context) { (void)context; /* larch_device_wipe wipes it */ }

/* The first keeps up the device's own requests; the second has the program's resources. Neither accepts messages. */
static void make_services(larch_device *device)
{
    device->services[0] = (larch_service){.name = "device",
                                          .context = device,
                                          .commit = commit,
                                          .is_durable = is_durable,
                                          .take_event = larch_device_take_event,
                                          .maintain = larch_device_maintain,
                                          .deadline_ms = larch_device_due_ms,
                                          .wipe = keep_memory};
    device->services[1] = (larch_service){.name = "commands",
                                          .context = device->config.context,
                                          .resources = device->config.resources,
                                          .resource_count = device->config.resource_count,
                                          .commit = commit,
                                          .is_durable = is_durable,
                                          .maintain = rest,
                                          .deadline_ms = never,
                                          .wipe = keep_memory};
}

/* ---- life -------------------------------------------------------------------- */

static larch_error begin_session(larch_device *device, uint64_t now_ms)
{
    const larch_random *random = device->config.server.random;
    larch_error e = larch_oscore_context_init(&device->session.oscore, device->config.parameters);
    device->session.number = device->session.device = 1; /* the only one */
    device->session.oscore.peer_has_epochs = true;
    if (e == LARCH_OK)
        e = larch_oscore_forget_window(&device->session.oscore, random);
    if (e == LARCH_OK)
        e = larch_epochs_start(&device->epochs, &device->contexts, now_ms, device->config.stored, 0);
    if (e == LARCH_OK)
        larch_epochs_begin(&device->epochs, &device->session);
    return e;
}

larch_error larch_device_init(larch_device *device, uint64_t now_ms, const larch_device_config *config)
{
    const larch_service *services[] = {&device->services[0], &device->services[1]};
    memset(device, 0, sizeof *device);
    device->config = *config;
    device->contexts = (larch_contexts){device, find, find_number, raise_epoch, add_observation, end_observation};
    const larch_oscore_config oscore = {.contexts = &device->contexts,
                                        .epochs = &device->epochs,
                                        .trace = config->server.trace,
                                        .kept = device->kept,
                                        .kept_count = LARCH_DEVICE_KEPT,
                                        .kept_bytes = device->kept_bytes,
                                        .kept_bytes_len = sizeof device->kept_bytes};
    larch_error e = begin_session(device, now_ms);
    if (e == LARCH_OK)
        e = larch_oscore_service_init(&device->oscore, &oscore, config->server.random);
    make_services(device);
    device->config.server.protection = &device->oscore.protection;
    if (e == LARCH_OK)
        e = larch_server_init(&device->server, &device->config.server, services, sizeof services / sizeof services[0]);
    device->config.parameters = NULL;
    device->wiring =
        (larch_oscore_client_config){&device->server.endpoint, &device->session, take_number, device, device->scratch};
    if (e != LARCH_OK)
        larch_wipe(device, sizeof *device);
    return e;
}

void larch_device_wipe(larch_device *device)
{
    larch_server_wipe(&device->server);
    larch_wipe(device, sizeof *device);
}

#endif
