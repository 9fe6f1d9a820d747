/* SPDX-License-Identifier: Apache-2.0 */
/* How the BL602 joins a network, over an SDK made of functions: what it is told, in both forms of its call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bl602/bl602.h"
#include "bl602/wifi_connect.h"
#include "bl602/wifi_settings.h"
#include "freertos_lwip/join.h"
#include "freertos_lwip/neighbours.h"
#include "lwip/netif.h"
#include "sim/flash.h"

static struct {
    char ssid[64], psk[80];
    bool was_null;
    int state;
    uint32_t ip;
    unsigned calls;
    const struct netif *attached;
} sdk;
static int station;
struct netif *netif_list;

static int connect(wifi_interface_t *interface, char *ssid, char *psk)
{
    assert_ptr_equal(interface, &station);
    sdk.calls++;
    sdk.was_null = psk == NULL;
    strcpy(sdk.ssid, ssid);
    if (psk != NULL)
        strcpy(sdk.psk, psk);
    return 0;
}

larch_error larch_bl602_wifi_start(void) { return LARCH_OK; }
wifi_interface_t wifi_mgmr_sta_enable(void) { return &station; }
int wifi_mgmr_sta_autoconnect_enable(void) { return 0; }
int wifi_mgmr_state_get(int *state)
{
    *state = sdk.state;
    return 0;
}
int wifi_mgmr_sta_ip_get(uint32_t *ip, uint32_t *gw, uint32_t *mask)
{
    *ip = sdk.ip;
    *gw = *mask = 0;
    return 0;
}
int wifi_mgmr_sta_connect(wifi_interface_t *interface, char *ssid, char *psk, char *pmk, uint8_t *mac, uint8_t band,
                          uint16_t freq)
{
    assert_null(pmk);
    assert_null(mac);
    assert_int_equal(band + freq, 0);
    return connect(interface, ssid, psk);
}
static int connect_of_august(wifi_interface_t *interface, char *ssid, char *psk, char *pmk)
{
    assert_null(pmk);
    return connect(interface, ssid, psk);
}
void larch_neighbours_attach(struct netif *netif) { sdk.attached = netif; }

/* The SDK takes the length of the passphrase, so that of an open network is empty, and there. */
static void test_open_network(void **state)
{
    (void)state;
    static const char *const typed[] = {"home secret78", "cafe"};
    static larch_flash flash;
    larch_flash_init(&flash, 1);
    const larch_storage storage = larch_flash_storage(&flash);
    for (size_t i = 0; i < 2; i++) {
        memset(&sdk, 0, sizeof sdk);
        assert_int_equal(
            larch_join_command_of()->run(&storage, (larch_bytes){(const uint8_t *)typed[i], strlen(typed[i])})[0], 'o');
        assert_int_equal(larch_join_start(&storage, NULL), LARCH_OK);
        assert_int_equal(sdk.calls, 1);
        assert_false(sdk.was_null);
        assert_string_equal(sdk.ssid, i == 0 ? "home" : "cafe");
        assert_string_equal(sdk.psk, i == 0 ? "secret78" : "");
    }
    larch_flash_free(&flash);
}

static void test_both_forms(void **state)
{
    (void)state;
    char ssid[] = "net", psk[] = "passphrase";
    memset(&sdk, 0, sizeof sdk);
    assert_int_equal(LARCH_BL602_CONNECT(connect_of_august, &station, ssid, psk), 0);
    assert_int_equal(LARCH_BL602_CONNECT(wifi_mgmr_sta_connect, &station, ssid, psk), 0);
    assert_int_equal(sdk.calls, 2);
    assert_string_equal(sdk.psk, "passphrase");
}

/* The state says that there is an address, the interface has none any more: there is none to send through. */
static void test_address_lost(void **state)
{
    (void)state;
    struct netif netif = {{0x0100070au}, {0x00ffffffu}, NULL};
    netif_list = &netif;
    sdk.state = WIFI_STATE_CONNECTED_IP_GOT;
    sdk.ip = netif.address.addr;
    assert_int_equal(larch_join_look(), LARCH_JOIN_ADDRESSED);
    assert_ptr_equal(sdk.attached, &netif);
    netif.address.addr = 0;
    assert_null(larch_join_netif());
    assert_int_equal(larch_join_look(), LARCH_JOIN_ASKING);
    assert_false(larch_join_sends_at_once);
    netif_list = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_open_network), cmocka_unit_test(test_both_forms),
                                       cmocka_unit_test(test_address_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
