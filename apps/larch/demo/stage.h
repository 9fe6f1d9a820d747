/* SPDX-License-Identifier: Apache-2.0 */
/* Where the demo plays: what is on the screen, who takes part, and waiting for them. */
#ifndef LARCH_APP_DEMO_STAGE_H
#define LARCH_APP_DEMO_STAGE_H

#include "common/app.h"
#include "demo/child.h"
#include "demo/relay.h"
#include "larch/identity.h"
#include "text/peer.h"

#define DEMO_NAME       "demo"
#define DEMO_FOLDER_MAX 512
#define DEMO_PATH_MAX   (DEMO_FOLDER_MAX + 32)
#define DEMO_TEXT_LEN   120 /* of one line that a step puts together */

/* A text that a child is to print. */
typedef struct demo_awaited {
    const demo_text *text;
    size_t offset; /* from there on */
    const char *wanted;
    const char *found; /* where it stands; NULL: not yet */
} demo_awaited;

typedef struct demo {
    char folder[DEMO_FOLDER_MAX]; /* all that the demo makes, but for the capture */
    char uri[LARCH_TEXT_PEER_MAX + 8];
    char pin[LARCH_FINGERPRINT_TEXT_LEN + 1];      /* of the gateway's key */
    char identity[LARCH_FINGERPRINT_TEXT_LEN + 1]; /* "": it tells none */
    bool colour;
    unsigned steps;
    unsigned passed;
    larch_loop loop;
    bool (*is_over)(struct demo *d); /* what is waited for */
    larch_loop_watch interrupt;
    larch_udp attacker;
    larch_loop_watch answers; /* to the attacker, who has received: */
    larch_udp_batch heard;
    demo_relay relay;
    demo_child gateway;
    larch_peer gateway_peer;
    demo_child restarted; /* the same gateway, after a crash */
    demo_child impostor;
    demo_child device; /* one that stays */
    demo_child task;
    demo_awaited awaited;
    size_t reading_len; /* a datagram that carried a protected reading */
    uint8_t reading[LARCH_COAP_DATAGRAM_MAX];
} demo;

/* ---- screen ---------------------------------------------------------------- */

/* Begins a step. */
void demo_title(demo *d, const char *text);
/* Shows lines of a child, from text on, at most count, and leaves out the small steps of 'larch send'. Long lines are
 * cut to the screen. */
void demo_quote(const char *who, const char *text, size_t count);
/* Shows all lines of a text as they are: a picture. */
void demo_show(const char *text);
/* Shows a refusal that a gateway has reported as JSON, from the event's name on, in words. NULL: nothing. */
void demo_quote_refusal(const char *event);
/* Ends a step. Returns ok. */
bool demo_verdict(demo *d, bool ok, const char *text);

/* How many lines have this text. */
unsigned demo_count(const char *text, const char *wanted);

/* ---- waiting --------------------------------------------------------------- */

void demo_init_loop(demo *d);
/* Keeps everything moving until is_over. False: it took too long, or was interrupted. */
bool demo_pump(demo *d, bool (*is_over)(demo *d));
/* Waits until a child has printed a line with this text from offset on. Returns where it stands, NULL if it never
 * came. */
const char *demo_wait_for(demo *d, const demo_text *text, size_t offset, const char *wanted);

/* ---- actors ---------------------------------------------------------------- */

/* The path of a file in the demo's folder. Returns out. */
char *demo_path(const demo *d, const char *name, char out[DEMO_PATH_MAX]);
/* Starts a command as the task, which demo_finish waits for. Returns 0, or -1 with errno. */
int demo_start(demo *d, const char *const *arguments);
/* Waits for the end of the task. Returns its exit code, -1 if it has none. */
int demo_finish(demo *d);
/* Both of it. */
int demo_run(demo *d, const char *const *arguments);
/* Starts a gateway on a free port, with the state folder of this name. False: it does not serve. */
bool demo_start_gateway(demo *d, demo_child *child, const char *name, larch_peer *peer);

#endif
