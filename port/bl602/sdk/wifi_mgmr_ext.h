/* SPDX-License-Identifier: Apache-2.0 */
/* The Wi-Fi manager: station, and sniffer. */
#ifndef LARCH_SDK_WIFI_MGMR_EXT_H
#define LARCH_SDK_WIFI_MGMR_EXT_H

#include <stdint.h>

typedef void *wifi_interface_t;
typedef void (*sniffer_cb_t)(void *env, uint8_t *pkt, int len);

typedef struct wifi_conf {
    char country_code[3];
    int channel_nums;
} wifi_conf_t;

/* With 0x10 added while an access point of its own runs. */
enum WIFI_STATE_ENUM_LIST {
    WIFI_STATE_CONNECTED_IP_GETTING = 0x03,
    WIFI_STATE_CONNECTED_IP_GOT = 0x04,
};

void wifi_mgmr_start_background(wifi_conf_t *conf);
wifi_interface_t wifi_mgmr_sta_enable(void);
int wifi_mgmr_sta_connect(wifi_interface_t *wifi_interface, char *ssid, char *psk, char *pmk, uint8_t *mac,
                          uint8_t band, uint16_t freq);
int wifi_mgmr_sta_autoconnect_enable(void);
int wifi_mgmr_sta_ip_get(uint32_t *ip, uint32_t *gw, uint32_t *mask);
int wifi_mgmr_state_get(int *state);
int wifi_mgmr_sniffer_enable(void);
int wifi_mgmr_sniffer_register(void *env, sniffer_cb_t cb);
int wifi_mgmr_channel_set(int channel, int use_40Mhz);

#endif
