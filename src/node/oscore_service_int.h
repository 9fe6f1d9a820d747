/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the OSCORE service share. */
#ifndef LARCH_OSCORE_SERVICE_INT_H
#define LARCH_OSCORE_SERVICE_INT_H

#include "larch/oscore_downlink.h"
#include "node/server_int.h"

#if LARCH_SERVER_SESSIONS

#define READING_PATH "r"

/* ---- the layer (oscore_layer.c) ------------------------------------------- */

bool larch_oscore_layer_open(void *context, const larch_request *rq, larch_coap_message *inner, larch_session **session,
                             larch_server_protection *protection);
void larch_oscore_layer_done(void *context);
uint8_t *larch_oscore_layer_draft(void *context);
larch_error larch_oscore_layer_protect(void *context, uint64_t now_ms, const larch_server_protection *protection,
                                       larch_bytes answer, uint8_t *out, size_t cap, larch_bytes *datagram);
/* Appends the options and the payload of a protected message. */
void larch_oscore_copy_into(larch_coap_builder *b, const larch_coap_message *message);
/* Makes the answer to a request that was opened take a number of our own. Errors as larch_epochs_take. */
larch_error larch_oscore_take_own(larch_oscore_service *oscore, const larch_request *rq);

/* ---- answers to copies (oscore_kept.c) ------------------------------------- */

/* What tells a copy of a request from another with its number. */
uint32_t larch_oscore_content(const larch_oscore_service *oscore, const larch_coap_message *request);
void larch_oscore_keep(larch_oscore_service *oscore, const larch_server_protection *protection, larch_bytes answer);
/* The answer to the request of the session with this number, empty if it is not kept. content: of the request; NULL: any
 * that is authentic. */
larch_bytes larch_oscore_kept_answer(const larch_oscore_service *oscore, uint64_t session, uint64_t number,
                                     const uint32_t *content);

/* ---- failed decryptions (oscore_failures.c) -------------------------------- */

/* Whether a datagram of this source may be decrypted for the session: takes what it may cost. If not, the request was
 * answered with an outer challenge, or gets no answer. */
bool larch_oscore_try(larch_oscore_service *oscore, const larch_request *rq, larch_session *session,
                      larch_session_sender *sender);
void larch_oscore_tried(larch_oscore_service *oscore, const larch_request *rq, larch_session *session,
                        larch_session_sender sender, bool is_authentic);

/* ---- readings (oscore_readings.c) ------------------------------------------ */

void larch_oscore_get_reading(void *context, const larch_request *rq);
void larch_oscore_post_reading(void *context, const larch_request *rq);
void larch_oscore_conclude(void *context, larch_server *srv, uint64_t now_ms, const larch_held *held,
                           larch_answer *answer);

/* ---- requests to devices (oscore_downlink.c) -------------------------------- */

void larch_oscore_clear_commands(larch_oscore_service *oscore);
void larch_oscore_end_commands(larch_oscore_service *oscore, uint64_t session);
void larch_oscore_send_commands(larch_oscore_service *oscore, larch_server *srv, uint64_t now_ms);
void larch_oscore_take_command_event(larch_oscore_service *oscore, uint64_t now_ms, const larch_coap_event *event);
uint64_t larch_oscore_commands_due_ms(const larch_oscore_service *oscore);

/* ---- observations (oscore_observe.c) --------------------------------------- */

/* What the Observe option of a GET asks for: registers or ends an observation of name; true: the answer is its first
 * notification, and takes a number of our own. */
bool larch_oscore_observe(larch_oscore_service *oscore, const larch_request *rq, larch_bytes name);
/* There is a new reading of this name. */
void larch_oscore_notify(larch_oscore_service *oscore, larch_bytes name);
void larch_oscore_take_watch_event(larch_oscore_service *oscore, const larch_coap_event *event);
/* Sends the notifications that are due. */
void larch_oscore_send_watches(larch_oscore_service *oscore, larch_server *srv, uint64_t now_ms);
uint64_t larch_oscore_watches_due_ms(const larch_oscore_service *oscore);

#endif
#endif
