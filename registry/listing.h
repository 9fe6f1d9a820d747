/* SPDX-License-Identifier: Apache-2.0 */
/* The list of devices: what is on record of each, with its sessions. */
#ifndef LARCH_REGISTRY_LISTING_H
#define LARCH_REGISTRY_LISTING_H

#include "registry/sessions.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_LISTING_SESSIONS_MAX 16 /* that are shown of one device */

typedef struct larch_listed_device {
    uint64_t number;
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    bool is_enrolled; /* it shakes hands; else its contexts are fixed */
    uint8_t method;   /* 0 or 4, if it is enrolled, as its suite */
    int suite;
    uint32_t heard_s; /* when it was heard last, seconds since 1970; 0: never */
    size_t session_count;
    const larch_session *sessions[LARCH_LISTING_SESSIONS_MAX]; /* good until one is removed */
} larch_listed_device;

/* Hands devices to take by their names, from the first one after `after` ("": from the beginning) on, until take returns false:
 * that device comes again first. *more: it did. take must not call the sessions. LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_sessions_list(larch_sessions *s, const char *after,
                                               bool (*take)(void *context, const larch_listed_device *device),
                                               void *context, bool *more);
/* One of them. LARCH_AGAIN: there is none of this name. */
LARCH_MUST_USE larch_error larch_sessions_show(larch_sessions *s, const char *name, larch_listed_device *device);

#ifdef __cplusplus
}
#endif

#endif
