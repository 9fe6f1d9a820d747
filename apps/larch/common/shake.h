/* SPDX-License-Identifier: Apache-2.0 */
/* The handshake of an enrolled device (LAKE, method 0 or 4): it makes the session that common/session.h then takes up. */
#ifndef LARCH_APP_SHAKE_H
#define LARCH_APP_SHAKE_H

#include "common/session.h"

typedef struct larch_app_shaking {
    const larch_peer *gateway;
    const char *authority; /* how to name it in complaints */
    double timeout_s;      /* for each try */
    /* Runs for each step: what, and its result. NULL: nobody wants to see it. */
    void (*show)(void *context, const char *what, const char *result);
    /* Runs for each datagram, that leaves (out) or came. NULL: as above. */
    void (*show_datagram)(void *context, bool out, larch_bytes datagram);
    void *context;
} larch_app_shaking;

/* Shakes hands, with the key of the last session first and by what the enrolment says if that one is refused, and stores
 * session and key; nothing else is sent under them before that. It blocks. LARCH_EXIT_DONE: take the session up. Else it has
 * said why, and the session before is as it was. LARCH_EXIT_REFUSED: what answered could not prove that it is the gateway of
 * the enrolment, or refused the device. */
larch_exit larch_app_shake_hands(larch_app_session *session, const larch_app_shaking *shaking);

#endif
