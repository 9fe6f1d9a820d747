/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows by which a dissector describes what it found. The writers print a packet from these rows alone, in their
 * order: in JSON each row with a name is a member, in a text line each row with a column is a piece of it.
 */
#ifndef LARCH_SNIFF_FIELD_H
#define LARCH_SNIFF_FIELD_H

#include "sniff/dissect/packet.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum larch_sniff_value_type {
    LARCH_SNIFF_VALUE_TEXT,    /* text: ours, printable ASCII without quotes and backslashes */
    LARCH_SNIFF_VALUE_NUMBER,  /* number */
    LARCH_SNIFF_VALUE_INTEGER, /* integer */
    LARCH_SNIFF_VALUE_LIST,    /* list, of integers */
    LARCH_SNIFF_VALUE_BLOCK,   /* block */
    LARCH_SNIFF_VALUE_MS,      /* milliseconds, shown with three decimals */
    LARCH_SNIFF_VALUE_HEX,     /* bytes, as hexadecimal digits */
    LARCH_SNIFF_VALUE_FOREIGN, /* bytes of a stranger, as text; the writer escapes and cuts them */
} larch_sniff_value_type;

typedef struct larch_sniff_value {
    larch_sniff_value_type type;
    union {
        const char *text;
        uint64_t number;
        int64_t integer;
        struct {
            const int64_t *numbers; /* in the packet */
            size_t count;
        } list;
        larch_coap_block block;
        double ms;
        larch_bytes bytes;
    } of;
    char buffer[64]; /* of a text that was made for this packet */
} larch_sniff_value;

typedef enum larch_sniff_emphasis {
    LARCH_SNIFF_PLAIN,
    LARCH_SNIFF_BOLD,
    LARCH_SNIFF_DIM,
} larch_sniff_emphasis;

#define LARCH_SNIFF_NAME_MAX 32 /* of a row, with its end */

/* A set of a dissector's messages, which are numbers below 32. */
#define LARCH_SNIFF_OF(message) (UINT32_C(1) << (message))

typedef struct larch_sniff_field {
    const char *name; /* the JSON member; NULL: none. "a.b": b in the object a, whose rows follow each other */
    uint32_t of;      /* the messages that have it there */
    struct {
        uint32_t of;                   /* the messages that show it in a text line */
        const char *before;            /* stands before the value, and */
        const char *after;             /* behind it */
        int width;                     /* of the value, at least; below 0: padded on the right */
        larch_sniff_emphasis emphasis; /* of the padded value */
    } column;
    /* Reads the value out of a packet that is one of these messages. False: this one has none. */
    bool (*get)(const larch_sniff_packet *packet, larch_sniff_value *out);
} larch_sniff_field;

/* A column of a row: as it is; shown by no message; and as a column of a table. */
#define LARCH_SNIFF_SHOWN(of, before, after)          \
    {                                                 \
        (of), (before), (after), 0, LARCH_SNIFF_PLAIN \
    }
#define LARCH_SNIFF_HIDDEN              \
    {                                   \
        0, "", "", 0, LARCH_SNIFF_PLAIN \
    }
#define LARCH_SNIFF_ALIGNED(of, width, after)         \
    {                                                 \
        (of), "", (after), (width), LARCH_SNIFF_PLAIN \
    }

/* For the last line of a get. Text is constant, or lies in the packet or in value->buffer. */
static inline bool larch_sniff_give_text(larch_sniff_value *value, const char *text)
{
    value->type = LARCH_SNIFF_VALUE_TEXT;
    value->of.text = text;
    return true;
}

static inline bool larch_sniff_give_number(larch_sniff_value *value, uint64_t number)
{
    value->type = LARCH_SNIFF_VALUE_NUMBER;
    value->of.number = number;
    return true;
}

static inline bool larch_sniff_give_integer(larch_sniff_value *value, int64_t integer)
{
    value->type = LARCH_SNIFF_VALUE_INTEGER;
    value->of.integer = integer;
    return true;
}

static inline bool larch_sniff_give_bytes(larch_sniff_value *value, larch_sniff_value_type type, larch_bytes bytes)
{
    value->type = type;
    value->of.bytes = bytes;
    return true;
}

#ifdef __cplusplus
}
#endif

#endif
