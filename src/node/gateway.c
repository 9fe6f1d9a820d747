/* SPDX-License-Identifier: Apache-2.0 */
#include "larch/gateway.h"

larch_error larch_gateway_init(larch_gateway *gw, uint64_t now_ms, const larch_gateway_config *config,
                               char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    const larch_service *services[LARCH_SERVER_SERVICES] = {&gw->direct.service};
    size_t count = 1;
    larch_direct_config *direct = &gw->direct.config;
    while (count < LARCH_SERVER_SERVICES && config->beside[count - 1] != NULL) {
        services[count] = config->beside[count - 1];
        count++;
    }
    *fault = LARCH_STORE_NONE;
    faulty[0] = '\0';
    larch_direct_service_init(&gw->direct, &config->direct);
    if (direct->random == NULL)
        direct->random = config->server.random;
    if (direct->trace == NULL)
        direct->trace = config->server.trace;
    larch_error e = larch_server_init(&gw->server, &config->server, services, count);
    if (e == LARCH_OK && (e = larch_direct_service_load(&gw->direct, now_ms, faulty, fault)) != LARCH_OK)
        larch_server_wipe(&gw->server);
    if (e != LARCH_OK)
        larch_wipe(gw, sizeof *gw);
    return e;
}
