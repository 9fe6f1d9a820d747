/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sniff/dissect/dissect_int.h"

static void path_put(char *path, size_t *len, const char *text)
{
    for (; *text != 0; text++) {
        if (*len >= LARCH_SNIFF_PATH_MAX - 4) { /* room for "..." and the end */
            memcpy(path + LARCH_SNIFF_PATH_MAX - 4, "...", 4);
            return;
        }
        path[(*len)++] = *text;
        path[*len] = 0;
    }
}

/* One segment, percent-encoded but for what RFC 3986, section 3.3, lets stand. */
static void path_put_segment(char *path, size_t *len, const char *before, larch_bytes value)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$'()*+,;=:@";
    path_put(path, len, before);
    for (size_t i = 0; i < value.len; i++) {
        char text[4] = {(char)value.data[i], 0, 0, 0};
        if (value.data[i] == 0 || strchr(plain, (char)value.data[i]) == NULL) {
            static const char digits[] = "0123456789ABCDEF";
            text[0] = '%';
            text[1] = digits[value.data[i] >> 4];
            text[2] = digits[value.data[i] & 15];
        }
        path_put(path, len, text);
    }
}

void larch_sniff_path_read(const larch_coap_message *request, char path[LARCH_SNIFF_PATH_MAX])
{
    larch_coap_options options = larch_coap_options_of(request);
    larch_coap_option option;
    size_t len = 0;
    const char *mark = "?";
    path[0] = 0;
    while (larch_coap_options_next(&options, &option)) {
        if (option.number == LARCH_COAP_OPT_URI_PATH) {
            path_put_segment(path, &len, "/", option.value);
        } else if (option.number == LARCH_COAP_OPT_URI_QUERY) {
            if (len == 0)
                path_put(path, &len, "/");
            path_put_segment(path, &len, mark, option.value);
            mark = "&";
        }
    }
    if (len == 0)
        path_put(path, &len, "/");
}
