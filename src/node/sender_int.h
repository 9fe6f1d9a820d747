/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the sender share. They return an error only if something of ours failed; what the gateway did wrong
 * ends in larch_sender_fail. */
#ifndef LARCH_SENDER_INT_H
#define LARCH_SENDER_INT_H

#include "larch/sender.h"

#define SENDER_NEVER UINT64_MAX

/* Nothing is to happen by itself any more. */
void larch_sender_stop_timers(larch_sender *s);
/* Ends it. */
void larch_sender_fail(larch_sender *s, larch_sender_failure failure);
/* Nothing came of a request, or it could not begin. Ends it, but for LARCH_BUSY: asks again when there is a place. */
void larch_sender_take_error(larch_sender *s, uint64_t now_ms, larch_error e);

/* Asks for what trust needs next; if that is nothing, posts the text, if there is one. */
LARCH_MUST_USE larch_error larch_sender_go_on(larch_sender *s, uint64_t now_ms);
/* The endorsement could not be renewed now: the trusted key serves on, and it is tried again after wait_ms or more. */
LARCH_MUST_USE larch_error larch_sender_put_off_renewal(larch_sender *s, uint64_t now_ms, uint64_t wait_ms);
/* Asks again what the gateway asked to wait for. */
LARCH_MUST_USE larch_error larch_sender_ask_again(larch_sender *s, uint64_t now_ms);
/* Asks for the key as a prototype's sender does, beside the GET if that is under way. */
LARCH_MUST_USE larch_error larch_sender_ask_prototype(larch_sender *s, uint64_t now_ms);
/* Whether the prototype's way is the only one. */
bool larch_sender_is_for_prototype(const larch_sender *s);
/* Whether messages ask for receipts. */
bool larch_sender_wants_receipt(const larch_sender *s);

/* Takes an event of the endpoint. */
void larch_sender_take_event(larch_sender *s, uint64_t now_ms, const larch_coap_event *event);
/* The prototype's way ended without a key. */
void larch_sender_take_fallback_end(larch_sender *s, uint64_t now_ms, larch_error e);

#endif
