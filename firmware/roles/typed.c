/* SPDX-License-Identifier: Apache-2.0 */
#include "typed.h"

#include "larch/coap_message.h"

bool larch_typed_number(larch_bytes text, uint32_t max, uint32_t *out)
{
    uint32_t n = 0;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        const uint32_t digit = (uint32_t)text.data[i] - '0';
        if (n > (max - digit) / 10 || digit > max)
            return false;
        n = 10 * n + digit;
    }
    *out = n;
    return true;
}

bool larch_typed_peer(larch_bytes text, larch_peer *out)
{
    larch_peer peer = {.address = {[10] = 0xff, [11] = 0xff}, .port = LARCH_COAP_PORT};
    for (unsigned i = 0; i < 5; i++) {
        size_t len = 0;
        uint32_t n;
        while (len < text.len && text.data[len] != '.' && text.data[len] != ':')
            len++;
        if (!larch_typed_number((larch_bytes){text.data, len}, i < 4 ? 255 : 65535, &n))
            return false;
        if (i < 4)
            peer.address[12 + i] = (uint8_t)n;
        else
            peer.port = (uint16_t)n;
        if (len == text.len) {
            if (i < 3 || peer.port == 0)
                return false;
            *out = peer;
            return true;
        }
        if (i == 4 || text.data[len] != (i < 3 ? '.' : ':'))
            return false;
        text = (larch_bytes){text.data + len + 1, text.len - len - 1};
    }
    return false;
}
