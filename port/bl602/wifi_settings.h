/* SPDX-License-Identifier: Apache-2.0 */
/* Which network to join, as it is typed and as it is kept: the record "wifi.cfg" (PROTOCOL.md section 3). */
#ifndef LARCH_BL602_WIFI_SETTINGS_H
#define LARCH_BL602_WIFI_SETTINGS_H

#include "larch/store.h"

#define LARCH_WIFI_SSID_MAX       32 /* [802.11 9.4.2.2] */
#define LARCH_WIFI_PASSPHRASE_MIN 8  /* [802.11 J.4.1] */
#define LARCH_WIFI_PASSPHRASE_MAX 63

/* Both end in 0, as the SDK wants them. passphrase is secret; empty: an open network. */
typedef struct larch_wifi_settings {
    char ssid[LARCH_WIFI_SSID_MAX + 1];
    char passphrase[LARCH_WIFI_PASSPHRASE_MAX + 1];
} larch_wifi_settings;

/* Reads "SSID PASSPHRASE", untrusted; an SSID with blanks stands in double quotes. Without a passphrase: an open network.
 * NULL, or what is wrong with it, as a line for the console; the settings are zeroed then. */
const char *larch_wifi_settings_parse(larch_bytes typed, larch_wifi_settings *settings);

/* LARCH_STATE: there are none yet. LARCH_MALFORMED, LARCH_SPACE: what stands there is not sound. LARCH_PLATFORM. The settings
 * are zeroed on error. */
LARCH_MUST_USE larch_error larch_wifi_settings_load(const larch_storage *storage, larch_wifi_settings *settings);
/* Durable on LARCH_OK. LARCH_PLATFORM: the old or the new ones stand, whole. */
LARCH_MUST_USE larch_error larch_wifi_settings_save(const larch_storage *storage, const larch_wifi_settings *settings);

void larch_wifi_settings_wipe(larch_wifi_settings *settings);

#endif
