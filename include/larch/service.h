/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a service offers a larch_server: its resources, and functions that keep the messages they accepted. A service
 * never sees a message ID or a block: it gets a request with its whole body, and gives an answer with its whole body.
 * Only look_ahead sees datagrams.
 *
 *   resource -> larch_request_answer                     an answer that can leave at once
 *            -> larch_request_accept -> keep or drop     an accepted message; its answer is built by
 *               -> commit -> conclude                    conclude, when its mark is durable
 */
#ifndef LARCH_SERVICE_H
#define LARCH_SERVICE_H

#include "larch/contexts.h"
#include "larch/server.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- requests ------------------------------------------------------------ */

/* The look-ahead: what a service computed from one datagram of a group before its turn came. The service alone gives
 * the fields their meaning. */
typedef struct larch_ahead {
    const larch_service *service; /* the service that filled it; NULL: nothing was computed */
    const larch_kem *kem;
    const uint8_t *about; /* where in the datagram */
    uint32_t generation;
    bool has_secret;
    bool wants_receipt;
    uint64_t mark;
    uint8_t secret[LARCH_KEM_SS_LEN];
} larch_ahead;

/* One request on its way through a resource. All views hold until the resource returns. */
typedef struct larch_request {
    larch_server *server;
    uint64_t now_ms;
    const larch_peer *peer;
    bool multicast;
    const larch_coap_message *message; /* the request: as it arrived, or as it was unprotected */
    const larch_ahead *ahead;          /* NULL: nothing was computed ahead */
#if LARCH_SERVER_SESSIONS
    larch_session *session; /* whose request it is; NULL: it was not protected */
#endif
    const larch_service *service; /* private, like the rest */
    larch_server_slot *slot;
} larch_request;

/* An answer. Fields that are zero are left out. */
typedef struct larch_answer {
    uint8_t code;
    bool is_safe;       /* the request may be carried out again for a copy of it: nothing is remembered */
    bool is_in_blocks;  /* the body is handed out in blocks, as the requests ask for them */
    bool is_uncached;   /* Max-Age 0 */
    bool has_observe;   /* the request registered an observation, whose first notification this is */
    bool has_format;    /* of the body */
    uint32_t observe;   /* Observe: 24 bits that grow from one notification to the next */
    uint16_t format;    /* Content-Format */
    uint32_t max_age_s; /* Max-Age */
    uint32_t size1;     /* Size1: with 4.13, the largest body that is taken */
    const char *path;   /* Uri-Path, which has no place in a response, but which prototypes look for */
    larch_bytes etag;   /* at most 8 bytes */
    larch_bytes echo;   /* at most 40 bytes */
    larch_bytes body;
} larch_answer;

/* These three ask for what a request costs, each from a budget of its own (larch/reach.h). false: the peer may not
 * spend it; the request was answered with a challenge, or with 5.03 and Max-Age, and the resource returns.
 *
 * larch_request_admit: a grant, for the work of any request; charged at once. */
bool larch_request_admit(const larch_request *rq);
/* A mark: the place of a message in a replay set. The resource asks for it before it opens the message, so that it
 * opens nothing for a peer that may not leave a mark. larch_request_accept charges it, so that only an authenticated
 * message spends one. */
bool larch_request_admit_mark(const larch_request *rq);
/* A decapsulation under a root key, in addition to larch_request_admit; charged at once. */
bool larch_request_admit_root(const larch_request *rq);
/* The whole body of the request, from however many blocks. false: the request was answered, because its body is not
 * complete or not acceptable. */
bool larch_request_body(const larch_request *rq, larch_bytes *body);
/* Builds the answer and puts it on its way; the views in it need not hold longer. A group request that fails is not
 * answered [RFC7252 8.2]. If an answer cannot be built, none leaves, and the peer asks again. An answer of more than
 * three times the request's length leaves to a peer that is not proven only within a budget of bytes; beyond that a
 * challenge leaves in its place. So a request that has an effect and a large answer must be cheap or repeatable. */
void larch_request_answer(const larch_request *rq, const larch_answer *answer);
/* Answers with a code and an ASCII text, which may be empty. */
void larch_request_refuse(const larch_request *rq, uint8_t code, larch_bytes text);

/* The last segment of the path, for a resource with is_parent: untrusted. */
larch_bytes larch_request_name(const larch_request *rq);

/* Memory for the text of a message that the resource will accept: service->text_max bytes of the pool. */
uint8_t *larch_request_text(const larch_request *rq);

/* Accepts the message, which was authenticated: the driver will pull, store and settle it. The peer is charged a mark,
 * and in quiet times its address is noted. */
void larch_request_accept(const larch_request *rq, const larch_acceptance *acceptance);
/* Holds the message, a copy of one that larch_request_pending found, until that one is concluded. The driver does
 * not get the copy; conclude does. */
void larch_request_follow(const larch_request *rq, const larch_acceptance *acceptance);
/* Holds a request that the driver has nothing to do with: after the next commit, conclude answers it. */
void larch_request_hold(const larch_request *rq, const larch_acceptance *acceptance);
/* The message that waits and that this service accepted under the same kem, generation and mark; NULL: none. */
const larch_acceptance *larch_request_pending(const larch_request *rq, const larch_acceptance *acceptance);

/* Reports an event, to the driver and in the server's counts. */
void larch_server_report(larch_server *srv, const larch_event *event);
/* Reports an event that a peer caused; kem and detail are NULL where the event has none. */
void larch_server_report_peer(larch_server *srv, larch_event_kind kind, const larch_peer *peer, const larch_kem *kem,
                              const char *detail);

#if LARCH_SERVER_SESSIONS
/* ---- protected messages -------------------------------------------------- */

/* What the server needs of the layer that protects messages, which is OSCORE (larch/oscore_service.h). */
struct larch_protection {
    void *context;
    bool takes_early; /* open understands the EDHOC option too [RFC9668 3.1] */
    /* Runs for each request with an OSCORE option. true: it is authentic and new; *inner, whose views hold until done,
     * takes its place, and *session and *protection say whose it is and how its answer is protected. false: the request
     * was answered, or gets no answer. */
    bool (*open)(void *context, const larch_request *rq, larch_coap_message *inner, larch_session **session,
                 larch_server_protection *protection);
    /* Runs when the resource has returned: wipes what open decrypted. */
    void (*done)(void *context);
    /* Memory in which the server builds an answer that is to be protected: LARCH_COAP_DATAGRAM_MAX bytes. */
    uint8_t *(*draft)(void *context);
    /* Protects that answer into out (cap bytes), once for each request, and keeps the bytes for copies of the request
     * that come from another address. */
    larch_error (*protect)(void *context, uint64_t now_ms, const larch_server_protection *protection,
                           larch_bytes answer, uint8_t *out, size_t cap, larch_bytes *datagram);
};
#endif

/* ---- services ------------------------------------------------------------ */

typedef struct larch_resource {
    const char *path;                                    /* without the leading slash; neither copied nor freed */
    const char *rt;                                      /* resource type [RFC6690 3.1]; NULL: not listed */
    void (*get)(void *context, const larch_request *rq); /* NULL: 4.05 */
    void (*post)(void *context, const larch_request *rq);
    void (*put)(void *context, const larch_request *rq);
    bool is_parent;          /* the resources are path/NAME: larch_request_name is the last segment */
    bool is_protected;       /* a request that is not protected is answered 4.01 */
    const uint16_t *formats; /* Content-Formats that a request may accept, ended by LARCH_COAP_FORMAT_NONE: any other
                                is answered 4.06 */
    const char *attributes;  /* with LARCH_SERVER_SESSIONS: more of its link, as it stands: ";ed-r"; kept; NULL: none */
    bool posts_by_group; /* a confirmable POST to a group is answered; any other is ignored, as [RFC7252 8.1] wants */
} larch_resource;

/* A message that was accepted, or a copy that follows one, with the outcome. */
typedef struct larch_held {
    const larch_peer *peer;
    const larch_acceptance *message; /* as the service gave it */
    bool follows;
    bool stored;      /* by the driver; for a copy: whether the message that it repeats was; false if it was held */
    larch_bytes name; /* NAME of /r/NAME */
} larch_held;

struct larch_service {
    const char *name; /* larch_accepted.via */
    void *context;    /* what all functions get */
    const larch_resource *resources;
    size_t resource_count;
    size_t text_max;   /* largest text that is accepted; 0: nothing is */
    size_t answer_max; /* largest body that conclude gives */
    size_t upload_max; /* largest body of a request, at most LARCH_COAP_UPLOAD_MAX; 0: LARCH_COAP_BODY_MAX */
    size_t body_max;   /* largest body of an answer that is not safe and is handed out in blocks; 0: none */

    /* Runs before a group of count datagrams is received. It may fill ahead[i] for each, which the server zeroed, and
     * must change nothing else, so that a mistaken look-ahead costs time alone. NULL: not offered. */
    void (*look_ahead)(void *context, larch_server *srv, uint64_t now_ms, const larch_server_datagram *datagrams,
                       size_t count, larch_ahead *ahead);
    /* Runs after the driver stored a message: hands its mark to the journal. LARCH_PLATFORM: the storage failed; the
     * server calls again. */
    larch_error (*keep)(void *context, const larch_acceptance *message);
    /* Runs when the driver had no room for a message: forgets its mark. */
    void (*drop)(void *context, const larch_acceptance *message);
    /* Makes every mark durable; cheap if all are. LARCH_PLATFORM: some may not be; the server calls again. */
    larch_error (*commit)(void *context);
    bool (*is_durable)(const void *context);
    /* Runs after commit: fills the answer to a held message, which the server zeroed. What its body points to must hold
     * until the next call of the service. */
    void (*conclude)(void *context, larch_server *srv, uint64_t now_ms, const larch_held *held, larch_answer *answer);
    /* Runs when one of the messages that the services sent themselves came to something: a response, a reset, a
     * time-out or an acknowledgement. The event's views hold until it returns. NULL: this service sends none. */
    void (*take_event)(void *context, larch_server *srv, uint64_t now_ms, const larch_coap_event *event);
    /* Runs between batches: does what is due. */
    void (*maintain)(void *context, larch_server *srv, uint64_t now_ms);
    /* When maintain has something to do; UINT64_MAX: only after a datagram. */
    uint64_t (*deadline_ms)(const void *context);
    void (*wipe)(void *context);
};

#ifdef __cplusplus
}
#endif

#endif
