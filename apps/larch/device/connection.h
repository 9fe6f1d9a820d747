/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway that runs over a state folder, as `larch device` asks it: it has the sessions, and knows where each device
 * is. */
#ifndef LARCH_APP_DEVICE_CONNECTION_H
#define LARCH_APP_DEVICE_CONNECTION_H

#include "common/app.h"
#include "common/control.h"
#include "common/store_choice.h"
#include "storage.h"

/* Private; secret while it is open. */
typedef struct device_connection {
    char state[LARCH_POSIX_PATH_MAX]; /* of the gateway; to be set. "": the default */
    const larch_store_choice *store;  /* to be set: what opens that folder if no gateway runs */
    larch_control_client client;
} device_connection;

/* Sends the gateway a request. LARCH_EXIT_DONE: it is open, and to be ended. Else it has said why. */
larch_exit device_connection_begin(device_connection *connection, const larch_bytes *words, size_t count);
/* Likewise, for what can be done without a gateway: if none runs, *is_there is false, and nothing was said. */
larch_exit device_connection_try(device_connection *connection, const larch_bytes *words, size_t count, bool *is_there);
/* Waits for the next line of the reply. LARCH_EXIT_DONE: a data line, or with *is_end the last one. Else it has said why:
 * the gateway refused the request, ended or cannot be understood, or sent nothing until until_ms, of which the message
 * says `late`. */
larch_exit device_connection_next(device_connection *connection, uint64_t until_ms, const char *late, larch_bytes *text,
                                  bool *is_end);
/* Likewise, for a caller that goes on when nothing came: *is_late is true then, and nothing was said. */
larch_exit device_connection_wait(device_connection *connection, uint64_t until_ms, larch_bytes *text, bool *is_end,
                                  bool *is_late);
/* Says that a data line is none of this request. LARCH_EXIT_FAILED. */
larch_exit device_connection_complain(const device_connection *connection);
void device_connection_end(device_connection *connection);

#endif
