/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An option as a row: how it is written, what its value has to be, where it is stored, and its help. Parsing, help,
 * complaints, configuration files, man pages and completion all read these rows and nothing else.
 */
#ifndef LARCH_APP_OPTION_H
#define LARCH_APP_OPTION_H

#include <stdbool.h>
#include <stddef.h>

/* The kind of value, and the type of the field that it fills. */
typedef enum larch_option_kind {
    LARCH_OPTION_FLAG,     /* none; bool */
    LARCH_OPTION_CONSTANT, /* none; an unsigned integer, which becomes min */
    LARCH_OPTION_HELP,     /* none, and no field: prints the help */
    LARCH_OPTION_IGNORED,  /* any, and no field */
    LARCH_OPTION_TEXT,     /* any; const char *, which points to the value itself */
    LARCH_OPTION_COPY,     /* a text that is not empty and fits; char[] */
    LARCH_OPTION_NUMBER,   /* from min to max; an unsigned integer of any size */
    LARCH_OPTION_SECONDS,  /* a decimal; double */
    LARCH_OPTION_PERIOD,   /* as SECONDS, above 0 */
    LARCH_OPTION_CHOICE,   /* one of choices; an unsigned integer or enum, which becomes its place among them */
    LARCH_OPTION_KEM,      /* a parameter set of this build; const larch_kem * */
    LARCH_OPTION_ADDRESS,  /* ADDR[:PORT], with CoAP's port by default; larch_peer. It looks names up and may block */
    LARCH_OPTION_SETTER    /* what set accepts */
} larch_option_kind;

typedef struct larch_option {
    const char *name;    /* without its dashes */
    char letter;         /* of its short form; 0: it has none */
    bool value_optional; /* its value is given as --name=VALUE alone */
    larch_option_kind kind;
    const char *value;   /* what the help calls its value: "FILE"; NULL if it takes none */
    const char *text;    /* its help; NULL: the help leaves it out */
    const char *wants;   /* what its value has to be, for complaints; NULL: the kind says it */
    size_t offset;       /* of the field, or of the list's first element */
    size_t size;         /* of the field, or of each element */
    size_t times;        /* a list of so many elements at most; 0: no list, the last value counts */
    size_t count_offset; /* of a list's size_t count */
    unsigned long min, max;
    const char *const *choices; /* ended by NULL */
    bool (*set)(void *target, const char *value);
    const char *section; /* of a configuration file that may set it too; NULL: no file does */
} larch_option;

/* Where a row stores; LARCH_OPTION_POINTER for a LARCH_OPTION_KEM, whose size its kind says. */
#define LARCH_OPTION_AT(type, field)      .offset = offsetof(type, field), .size = sizeof(((type *)0)->field)
#define LARCH_OPTION_POINTER(type, field) .offset = offsetof(type, field)
#define LARCH_OPTION_LIST(type, field, counter)                             \
    .offset = offsetof(type, field), .size = sizeof(((type *)0)->field[0]), \
    .times = sizeof(((type *)0)->field) / sizeof(((type *)0)->field[0]), .count_offset = offsetof(type, counter)

/* Why a value was not stored, as one sentence without a full stop. */
#define LARCH_OPTION_FAULT_MAX 400
typedef struct larch_option_fault {
    char text[LARCH_OPTION_FAULT_MAX];
    bool unresolved; /* a name that is not found now: no mistake in writing */
} larch_option_fault;

bool larch_option_takes_value(const larch_option *row);

/* Stores a value, or LARCH_OPTION_FLAG and CONSTANT without one (NULL). first: the first value of this source, which
 * replaces a list that an earlier source or the default filled. label: "--kem", or a setting's name. False: target is
 * unchanged, except that a setter may have changed what it sets, and fault says why. */
bool larch_option_store(const larch_option *row, void *target, bool first, const char *label, const char *value,
                        larch_option_fault *fault);

#endif
