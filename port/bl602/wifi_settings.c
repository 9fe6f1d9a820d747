/* SPDX-License-Identifier: Apache-2.0 */
#include "wifi_settings.h"

#include <string.h>

/* The record's payload:
 *
 *     length (1) | SSID | length (1) | passphrase
 */
#define NAME        "wifi.cfg"
#define PAYLOAD_MAX (1 + LARCH_WIFI_SSID_MAX + 1 + LARCH_WIFI_PASSPHRASE_MAX)

static bool is_ssid(larch_bytes text)
{
    return text.len >= 1 && text.len <= LARCH_WIFI_SSID_MAX && memchr(text.data, 0, text.len) == NULL;
}

static bool is_passphrase(larch_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x20 || text.data[i] > 0x7e)
            return false;
    return text.len == 0 || (text.len >= LARCH_WIFI_PASSPHRASE_MIN && text.len <= LARCH_WIFI_PASSPHRASE_MAX);
}

static void put(larch_wifi_settings *settings, larch_bytes ssid, larch_bytes passphrase)
{
    larch_wifi_settings_wipe(settings);
    memcpy(settings->ssid, ssid.data, ssid.len);
    if (passphrase.len > 0)
        memcpy(settings->passphrase, passphrase.data, passphrase.len);
}

/* ---- as typed -------------------------------------------------------------- */

/* Up to the first blank, or between quotes. False: no second quote, or no blank behind it. */
static bool split(larch_bytes typed, larch_bytes *ssid, larch_bytes *rest)
{
    const bool quoted = typed.len > 0 && typed.data[0] == '"';
    const size_t begin = quoted ? 1 : 0;
    size_t end = begin;
    while (end < typed.len && typed.data[end] != (quoted ? '"' : ' '))
        end++;
    if (quoted && end == typed.len)
        return false;
    *ssid = (larch_bytes){typed.data + begin, end - begin};
    const size_t behind = quoted ? end + 1 : end;
    *rest = (larch_bytes){typed.data + behind, typed.len - behind};
    if (rest->len > 0 && rest->data[0] != ' ')
        return false;
    while (rest->len > 0 && rest->data[0] == ' ') {
        rest->data++;
        rest->len--;
    }
    return true;
}

const char *larch_wifi_settings_parse(larch_bytes typed, larch_wifi_settings *settings)
{
    larch_bytes ssid, passphrase;
    larch_wifi_settings_wipe(settings);
    if (!split(typed, &ssid, &passphrase))
        return "error: an SSID with blanks stands between double quotes: wifi \"my network\" PASSPHRASE";
    if (!is_ssid(ssid))
        return "error: an SSID has 1 to 32 bytes";
    if (!is_passphrase(passphrase))
        return "error: a passphrase has 8 to 63 printable ASCII characters; an open network has none";
    put(settings, ssid, passphrase);
    return NULL;
}

/* ---- as kept --------------------------------------------------------------- */

static larch_error parse(larch_bytes payload, larch_wifi_settings *settings)
{
    larch_reader r = larch_reader_of(payload);
    larch_bytes ssid, passphrase;
    uint8_t len;
    larch_error e;
    if ((e = larch_reader_take_u8(&r, &len)) != LARCH_OK || (e = larch_reader_take(&r, len, &ssid)) != LARCH_OK ||
        (e = larch_reader_take_u8(&r, &len)) != LARCH_OK || (e = larch_reader_take(&r, len, &passphrase)) != LARCH_OK)
        return e;
    if (r.left.len != 0 || !is_ssid(ssid) || !is_passphrase(passphrase))
        return LARCH_MALFORMED;
    put(settings, ssid, passphrase);
    return LARCH_OK;
}

larch_error larch_wifi_settings_load(const larch_storage *storage, larch_wifi_settings *settings)
{
    uint8_t payload[PAYLOAD_MAX];
    larch_store_fault fault;
    size_t len;
    larch_wifi_settings_wipe(settings);
    larch_error e = larch_record_read(storage, NAME, LARCH_RECORD_WIFI, payload, sizeof payload, &len, &fault);
    if (e == LARCH_OK)
        e = parse((larch_bytes){payload, len}, settings);
    larch_wipe(payload, sizeof payload);
    return e;
}

larch_error larch_wifi_settings_save(const larch_storage *storage, const larch_wifi_settings *settings)
{
    uint8_t payload[PAYLOAD_MAX];
    const larch_bytes ssid = {(const uint8_t *)settings->ssid, strlen(settings->ssid)};
    const larch_bytes passphrase = {(const uint8_t *)settings->passphrase, strlen(settings->passphrase)};
    larch_writer w = larch_writer_to(payload, sizeof payload);
    larch_writer_put_u8(&w, (uint8_t)ssid.len);
    larch_writer_put(&w, ssid);
    larch_writer_put_u8(&w, (uint8_t)passphrase.len);
    larch_writer_put(&w, passphrase);
    const larch_error e = larch_record_write(storage, NAME, LARCH_RECORD_WIFI, (larch_bytes){payload, w.len}, 0);
    larch_wipe(payload, sizeof payload);
    return e;
}

void larch_wifi_settings_wipe(larch_wifi_settings *settings) { larch_wipe(settings, sizeof *settings); }
