/* SPDX-License-Identifier: Apache-2.0 */
#include "common/option.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "common/app.h"
#include "common/value.h"
#include "larch/coap_message.h"
#include "larch/direct.h"
#include "text/text.h"

bool larch_option_takes_value(const larch_option *row)
{
    return row->kind != LARCH_OPTION_FLAG && row->kind != LARCH_OPTION_CONSTANT && row->kind != LARCH_OPTION_HELP;
}

/* ---- storing --------------------------------------------------------------- */

/* Into an unsigned integer of size bytes. The row's max, or its choices, keep it in the type's range. */
static bool store_integer(void *field, size_t size, unsigned long number)
{
    if (size == sizeof(uint8_t))
        *(uint8_t *)field = (uint8_t)number; /* bool as well: the row's range ends at 1 */
    else if (size == sizeof(uint16_t))
        memcpy(field, &(uint16_t){(uint16_t)number}, size);
    else if (size == sizeof(uint32_t))
        memcpy(field, &(uint32_t){(uint32_t)number}, size);
    else
        memcpy(field, &(uint64_t){number}, size);
    return true;
}

static bool store_number(const larch_option *row, void *field, const char *value)
{
    unsigned long number;
    return larch_app_number(value, row->min, row->max, &number) && store_integer(field, row->size, number);
}

static bool store_choice(const larch_option *row, void *field, const char *value)
{
    for (unsigned long i = 0; row->choices[i] != NULL; i++)
        if (strcmp(row->choices[i], value) == 0)
            return store_integer(field, row->size, i);
    return false;
}

static bool store_seconds(const larch_option *row, void *field, const char *value)
{
    double seconds;
    if (!larch_app_seconds(value, &seconds) || (row->kind == LARCH_OPTION_PERIOD && !(seconds > 0)))
        return false;
    memcpy(field, &seconds, sizeof seconds);
    return true;
}

static bool store_kem(void *field, const char *value)
{
    const larch_kem *kem;
    if (!larch_app_kem(value, &kem))
        return false;
    memcpy(field, &kem, sizeof(const larch_kem *));
    return true;
}

static bool store(const larch_option *row, void *target, void *field, const char *value)
{
    switch (row->kind) {
    case LARCH_OPTION_FLAG:
        return store_integer(field, row->size, true);
    case LARCH_OPTION_CONSTANT:
        return store_integer(field, row->size, row->min);
    case LARCH_OPTION_TEXT:
        memcpy(field, &value, sizeof value);
        return true;
    case LARCH_OPTION_COPY:
        return larch_app_copy(value, field, row->size);
    case LARCH_OPTION_NUMBER:
        return store_number(row, field, value);
    case LARCH_OPTION_SECONDS:
    case LARCH_OPTION_PERIOD:
        return store_seconds(row, field, value);
    case LARCH_OPTION_CHOICE:
        return store_choice(row, field, value);
    case LARCH_OPTION_KEM:
        return store_kem(field, value);
    case LARCH_OPTION_SETTER:
        return row->set(target, value);
    default: /* LARCH_OPTION_ADDRESS has a complaint of its own; HELP and IGNORED store nothing */
        return true;
    }
}

/* ---- complaints ------------------------------------------------------------ */

/* "A, B or C" */
static void put_alternative(larch_writer *w, const char *text, size_t place, bool last)
{
    larch_text_put(w, place == 0 ? "" : last ? " or " : ", ");
    larch_text_put(w, text);
}

static void put_wants(larch_writer *w, const larch_option *row)
{
    const larch_kem *kem;
    if (row->wants != NULL) {
        larch_text_put(w, row->wants);
        return;
    }
    switch (row->kind) {
    case LARCH_OPTION_NUMBER:
        larch_text_put(w, "a number from ");
        larch_text_put_number(w, row->min);
        if (row->max != ULONG_MAX) {
            larch_text_put(w, " to ");
            larch_text_put_number(w, row->max);
        }
        break;
    case LARCH_OPTION_SECONDS:
    case LARCH_OPTION_PERIOD:
        larch_text_put(w, row->kind == LARCH_OPTION_PERIOD ? "a number of seconds above 0" : "a number of seconds");
        break;
    case LARCH_OPTION_CHOICE:
        for (size_t i = 0; row->choices[i] != NULL; i++)
            put_alternative(w, row->choices[i], i, row->choices[i + 1] == NULL);
        break;
    case LARCH_OPTION_KEM:
        for (size_t i = 0; (kem = larch_direct_kem_at(i)) != NULL; i++) {
            put_alternative(w, larch_direct_kem_name(kem), i, larch_direct_kem_at(i + 1) == NULL);
        }
        break;
    default:
        larch_text_put(w, row->value);
        break;
    }
}

static bool complain(const larch_option *row, const char *label, const char *value, larch_option_fault *fault)
{
    uint8_t wants[200];
    larch_writer w = larch_writer_to(wants, sizeof wants);
    put_wants(&w, row);
    (void)snprintf(fault->text, sizeof fault->text, "%.40s takes %.*s, not '%.120s'", label,
                   (int)(w.len < w.cap ? w.len : w.cap), (const char *)wants, value);
    return false;
}

static bool store_address(const char *label, const char *value, void *field, larch_option_fault *fault)
{
    larch_peer peer;
    larch_posix_reason why;
    if (larch_posix_peer_parse(value, LARCH_COAP_PORT, &peer, &why) == 0) {
        memcpy(field, &peer, sizeof peer);
        return true;
    }
    fault->unresolved = why.unresolved;
    (void)snprintf(fault->text, sizeof fault->text, "%.40s: %s", label, why.text);
    return false;
}

bool larch_option_store(const larch_option *row, void *target, bool first, const char *label, const char *value,
                        larch_option_fault *fault)
{
    char *field = (char *)target + row->offset;
    size_t count = 0;
    fault->unresolved = false;
    if (row->times > 0) {
        if (!first)
            memcpy(&count, (char *)target + row->count_offset, sizeof count);
        if (count == row->times) {
            (void)snprintf(fault->text, sizeof fault->text, "%.40s may be given %zu times at most", label, row->times);
            return false;
        }
        field += count * row->size;
    }
    if (row->kind == LARCH_OPTION_ADDRESS) {
        if (!store_address(label, value, field, fault))
            return false;
    } else if (!store(row, target, field, value)) {
        return complain(row, label, value, fault);
    }
    if (row->times > 0)
        memcpy((char *)target + row->count_offset, &(size_t){count + 1}, sizeof count);
    return true;
}
