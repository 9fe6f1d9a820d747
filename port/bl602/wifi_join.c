/* SPDX-License-Identifier: Apache-2.0 */
/* The way to an address through the SDK's station: interface, DHCP and reconnecting are its own. */
#include "freertos_lwip/join.h"
#include "freertos_lwip/neighbours.h"

#include "lwip/netif.h"

#include "bl602.h"
#include "wifi_connect.h"
#include "wifi_settings.h"

#define STATE_WITHOUT_AP 0x0f

static bool told; /* which network */
static larch_wifi_settings settings;

/* ---- joining ----------------------------------------------------------------- */

larch_error larch_join_start(const larch_storage *storage, void (*changed)(void))
{
    (void)changed; /* who looks finds out */
    if (storage == NULL)
        return LARCH_OK;
    larch_error e = larch_wifi_settings_load(storage, &settings);
    if (e == LARCH_PLATFORM)
        return e;
    if (e != LARCH_OK) /* none, or none that can be read: the command makes them anew */
        return LARCH_OK;
    if ((e = larch_bl602_wifi_start()) != LARCH_OK)
        return e;
    told = true;
    (void)wifi_mgmr_sta_autoconnect_enable();
    /* Strings of ours that stay: the SDK does not say whether it copies them. */
    return LARCH_BL602_CONNECT(wifi_mgmr_sta_connect, wifi_mgmr_sta_enable(), settings.ssid, settings.passphrase) < 0
               ? LARCH_PLATFORM
               : LARCH_OK;
}

static int state(void)
{
    int s;
    return wifi_mgmr_state_get(&s) == 0 ? s & STATE_WITHOUT_AP : 0;
}

/* The one with the station's address. */
struct netif *larch_join_netif(void)
{
    uint32_t ip = 0, gateway, mask;
    struct netif *netif;
    if (wifi_mgmr_sta_ip_get(&ip, &gateway, &mask) != 0 || ip == 0)
        return NULL;
    NETIF_FOREACH(netif)
    if (netif_is_up(netif) && netif_ip4_addr(netif)->addr == ip)
        return netif;
    return NULL;
}

larch_join_state larch_join_state_of(void)
{
    if (!told)
        return LARCH_JOIN_UNSET;
    switch (state()) {
    case WIFI_STATE_CONNECTED_IP_GOT:
        return larch_join_netif() != NULL ? LARCH_JOIN_ADDRESSED : LARCH_JOIN_ASKING;
    case WIFI_STATE_CONNECTED_IP_GETTING:
        return LARCH_JOIN_ASKING;
    default:
        return LARCH_JOIN_NO_LINK;
    }
}

const bool larch_join_sends_at_once = false; /* the driver keeps a frame until the radio has room */

larch_join_state larch_join_look(void)
{
    struct netif *netif = larch_join_netif();
    if (netif != NULL)
        larch_neighbours_attach(netif);
    return larch_join_state_of();
}

/* ---- the console's command ----------------------------------------------------- */

static const char *run(const larch_storage *storage, larch_bytes rest)
{
    larch_wifi_settings typed;
    const char *wrong = larch_wifi_settings_parse(rest, &typed);
    if (wrong != NULL)
        return wrong;
    const larch_error e = larch_wifi_settings_save(storage, &typed);
    larch_wifi_settings_wipe(&typed);
    return e == LARCH_OK ? "ok: kept; restart joins it" : "error: the flash refused it; 'status' shows it";
}

const larch_join_command *larch_join_command_of(void)
{
    static const larch_join_command command = {"wifi", "SSID PASSPHRASE",
                                               "the network to join, from the next start on; kept in flash", run};
    return &command;
}
