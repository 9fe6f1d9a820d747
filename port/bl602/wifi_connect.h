/* SPDX-License-Identifier: Apache-2.0 */
/* The SDK's call that joins a network, of which there are two: with seven arguments early in 2021, with four from August on. */
#ifndef LARCH_BL602_WIFI_CONNECT_H
#define LARCH_BL602_WIFI_CONNECT_H

#include <stddef.h>

#include "wifi_mgmr_ext.h"

typedef int larch_bl602_connect_7(wifi_interface_t *interface, char *ssid, char *psk, char *pmk, uint8_t *mac,
                                  uint8_t band, uint16_t freq);
typedef int larch_bl602_connect_4(wifi_interface_t *interface, char *ssid, char *psk, char *pmk);

static inline int larch_bl602_call_7(void (*call)(void), wifi_interface_t interface, char *ssid, char *psk)
{
    return ((larch_bl602_connect_7 *)call)(interface, ssid, psk, NULL, NULL, 0, 0);
}

static inline int larch_bl602_call_4(void (*call)(void), wifi_interface_t interface, char *ssid, char *psk)
{
    return ((larch_bl602_connect_4 *)call)(interface, ssid, psk, NULL);
}

/* Both strings end in 0. psk is never NULL: the SDK takes the length of it; empty is an open network. */
/* clang-format off */
#define LARCH_BL602_CONNECT(call, interface, ssid, psk)                                                     \
    _Generic(&(call), larch_bl602_connect_7 *: larch_bl602_call_7, larch_bl602_connect_4 *: larch_bl602_call_4) \
        ((void (*)(void))(call), interface, ssid, psk)
/* clang-format on */

#endif
