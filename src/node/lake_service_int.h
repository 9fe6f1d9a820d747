/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the Responder share. */
#ifndef LARCH_LAKE_SERVICE_INT_H
#define LARCH_LAKE_SERVICE_INT_H

#include "larch/lake_service.h"
#include "node/server_int.h"

#if LARCH_SERVER_SESSIONS

/* ---- the pool (lake_pool.c) ------------------------------------------------- */

enum {
    LAKE_HALF_WAITS,    /* for message_3 */
    LAKE_HALF_VERIFIED, /* message_3 was verified, and the session is not stored yet */
    LAKE_HALF_STORED,   /* it is, and waits for the commit */
    LAKE_HALF_LOST,     /* the commit failed */
    LAKE_HALF_ANSWERED, /* by message_4: the place keeps it for copies of message_3 */
};

/* A place in use; i: its index. */
larch_lake_session *larch_lake_session_at(const larch_lake_service *lake, size_t i);
/* The bytes of its last answer, and memory for another: config.answer_size bytes. */
larch_bytes larch_lake_answer_at(const larch_lake_service *lake, size_t i);
larch_writer larch_lake_answer_writer(const larch_lake_service *lake, size_t i);
void larch_lake_set_answer(const larch_lake_service *lake, size_t i, size_t len);

/* These return place_count if there is none. The one with this C_R, by a peer of this address... */
size_t larch_lake_pool_find(const larch_lake_service *lake, uint64_t now_ms, larch_bytes c_r, uint64_t address);
/* ... and one that answered the same message of the same address. */
size_t larch_lake_pool_find_copy(const larch_lake_service *lake, uint64_t now_ms, uint64_t message, uint64_t address);
/* A place for a new handshake, emptied but not in use yet: a free one, or one of the owner's if it has its share. None:
 * *wait_s is when to ask again. */
size_t larch_lake_pool_claim(larch_lake_service *lake, uint64_t now_ms, uint64_t owner, uint32_t *wait_s);
void larch_lake_pool_touch(larch_lake_service *lake, uint64_t now_ms, size_t i);
void larch_lake_pool_release(larch_lake_service *lake, size_t i);
/* A C_R that no handshake and no session has, other than C_I. LARCH_SPACE: none was found. */
larch_error larch_lake_pool_draw_id(const larch_lake_service *lake, uint64_t now_ms, size_t len, larch_bytes c_i,
                                    larch_lake_id *out);
void larch_lake_pool_expire(larch_lake_service *lake, uint64_t now_ms);
uint64_t larch_lake_pool_due_ms(const larch_lake_service *lake);

/* ---- message_3 (lake_settle.c) ----------------------------------------------- */

/* A keyed hash, never 0. */
uint64_t larch_lake_message_tag(const larch_lake_service *lake, larch_bytes message);
/* Verifies message_3 in the place, unless that was done, and stores the session; LARCH_OK: it was stored, and can be found.
 * LARCH_BUSY: not now. After any other error the place is free, and error holds the message that tells the Initiator. */
larch_error larch_lake_settle(larch_lake_service *lake, const larch_request *rq, size_t i, larch_bytes message_3,
                              larch_writer *error);
/* Makes durable what was stored; a handshake for which that failed is lost. */
void larch_lake_commit(larch_lake_service *lake);
/* Ends a handshake; error: what tells the Initiator, as larch_lake_settle gives it. */
void larch_lake_abandon(larch_lake_service *lake, size_t i, larch_writer *error);
bool larch_lake_take_early(void *context, const larch_request *rq, larch_bytes kid, larch_bytes message_3);

/* ---- answers (lake_reply.c) --------------------------------------------------- */

#define LAKE_ERROR_MAX LARCH_LAKE_SERVICE_ERROR_MAX

/* Those of requests that were held. */
void larch_lake_put_answer(larch_answer *answer, larch_bytes message);
void larch_lake_put_error_answer(larch_answer *answer, larch_error e, larch_bytes message);
/* error message 1, for what no session has refused. */
void larch_lake_put_refusal(const larch_lake_service *lake, larch_writer *w);

void larch_lake_reply(const larch_request *rq, larch_bytes message);
/* e: what went wrong, for the code; message: an error message, or empty. */
void larch_lake_reply_error(const larch_request *rq, larch_error e, larch_bytes message);
void larch_lake_reply_later(const larch_request *rq, uint32_t wait_s);
/* larch_lake_put_refusal as an answer. */
void larch_lake_reply_refusal(const larch_lake_service *lake, const larch_request *rq, larch_error e);

#endif
#endif
