/* SPDX-License-Identifier: Apache-2.0 */
#include "sniff/dissect/dissector.h"

#include "sniff/dissect/dissect_int.h"

static const larch_sniff_dissector *const rows[] = {
#define ROW(name) &larch_sniff_dissector_##name,
    LARCH_SNIFF_DISSECTORS(ROW)
#undef ROW
};
#define ROWS (sizeof rows / sizeof rows[0])

const larch_sniff_field *larch_sniff_field_next(larch_sniff_field_walk *walk, const larch_sniff_packet *packet,
                                                unsigned *message)
{
    for (; walk->dissector < ROWS; walk->dissector++, walk->field = 0) {
        const larch_sniff_dissector *d = rows[walk->dissector];
        if (walk->field < d->field_count && (*message = d->message(packet)) != 0)
            return &d->fields[walk->field++];
    }
    return NULL;
}

const larch_sniff_dissector *larch_sniff_dissector_mark(larch_sniff_packet *packet)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i]->mark != NULL && rows[i]->mark(packet))
            return rows[i];
    return NULL;
}

const larch_sniff_dissector *larch_sniff_dissector_find(const larch_coap_message *request, uint8_t *resource)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i]->match != NULL && rows[i]->match(request, resource))
            return rows[i];
    return NULL;
}

bool larch_sniff_has_format(const larch_coap_message *message, uint32_t format)
{
    larch_bytes option;
    uint32_t number;
    return larch_coap_option_find(message, LARCH_COAP_OPT_CONTENT_FORMAT, &option) &&
           larch_coap_option_uint(option, &number) == LARCH_OK && number == format;
}

bool larch_sniff_match_paths(const larch_coap_message *request, const char *const *paths, size_t count,
                             uint8_t *resource)
{
    for (size_t i = 0; i < count; i++) {
        if (larch_coap_path_is(request, paths[i])) {
            *resource = (uint8_t)i;
            return true;
        }
    }
    return false;
}
