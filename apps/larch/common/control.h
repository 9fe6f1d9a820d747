/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a command asks the gateway that runs: through the socket "control" in the state folder. A connection carries one
 * request and its reply, in lines of printable ASCII.
 *
 *     request = "larch-control 1" 1*7( SP word ) LF          word = 1*( 0x21-0x7e ); the first is the verb
 *     reply   = *( "+" text LF ) ( "ok" / "no " text ) LF    text = *( 0x20-0x7e )
 *
 * A line has at most LARCH_CONTROL_LINE_MAX bytes with its LF. "+" lines are data; "ok" means that the request was done,
 * durably; "no" says why it was not, or not all of it. A reply may take its time, and its lines may come one by one; a
 * client that closes the connection before the last gives its request up. Bytes are words and texts in hexadecimal.
 * Another version is refused with "no". A verb is added with a row in the gateway's table, and an argument only with a
 * new verb, so that nothing old is misread.
 */
#ifndef LARCH_APP_CONTROL_H
#define LARCH_APP_CONTROL_H

#include "larch/base.h"

#define LARCH_CONTROL_NAME      "control" /* the socket's, in the state folder */
#define LARCH_CONTROL_LINE_MAX  16384 /* a credential that is signed by ML-DSA-87, in hexadecimal, and words beside it */
#define LARCH_CONTROL_REPLY_MAX 32768 /* of a reply that comes at once */
#define LARCH_CONTROL_WORDS_MAX 7
#define LARCH_CONTROL_WHY_MAX   253 /* a "no" line's text, with a NUL */

/* Views of the line. */
typedef struct larch_control_request {
    size_t count; /* of words; 1 at least */
    larch_bytes word[LARCH_CONTROL_WORDS_MAX];
} larch_control_request;

typedef enum larch_control_kind {
    LARCH_CONTROL_DATA,   /* more lines follow */
    LARCH_CONTROL_DONE,   /* the last line, without a text */
    LARCH_CONTROL_REFUSED /* the last line; its text says why */
} larch_control_kind;

/* One line of a reply; the text is a view of it. */
typedef struct larch_control_reply {
    larch_control_kind kind;
    larch_bytes text;
} larch_control_reply;

/* ---- lines --------------------------------------------------------------- */

/* line: untrusted, without its LF. LARCH_MALFORMED: it is no request. LARCH_STATE: of another version. *request is
 * unchanged on error. */
LARCH_MUST_USE larch_error larch_control_parse_request(larch_bytes line, larch_control_request *request);
/* A request of count words, 1 to LARCH_CONTROL_WORDS_MAX. LARCH_MALFORMED: a word is empty, or has a byte that no word
 * has; w is unchanged then. */
LARCH_MUST_USE larch_error larch_control_put_request(larch_writer *w, const larch_bytes *words, size_t count);

/* line: untrusted, without its LF. LARCH_MALFORMED: no reply has it; *reply is unchanged then. */
LARCH_MUST_USE larch_error larch_control_parse_reply(larch_bytes line, larch_control_reply *reply);
/* Takes the word in front of a text, and the space behind it, off the text: empty at its end. */
larch_bytes larch_control_take_word(larch_bytes *text);
/* The bytes of a word in hexadecimal, "-" for none. False: it is not of that form, or has more than cap bytes. */
bool larch_control_take_hex(larch_bytes word, uint8_t *out, size_t cap, size_t *len);
/* Writes bytes as such a word. */
void larch_control_put_hex(larch_writer *w, larch_bytes bytes);

/* A "+" line. What is not printable comes out as "?", and a text that is too long is cut. */
void larch_control_put_data(larch_writer *w, const char *text);
/* The last line: "ok" if why is NULL, else "no" with the reason, which is treated as data is. */
void larch_control_put_end(larch_writer *w, const char *why);

/* ---- a client ------------------------------------------------------------ */

/* A connection to the gateway. Private. What it holds may be secret. */
typedef struct larch_control_client {
    int fd;
    size_t at, len;
    uint8_t buffer[LARCH_CONTROL_LINE_MAX];
} larch_control_client;

/* Sends a request to the gateway that runs over the folder, an open descriptor. LARCH_OK: take its reply, then close.
 * LARCH_STATE: no gateway listens there. LARCH_MALFORMED: as larch_control_put_request. LARCH_SPACE: the request is too
 * long. LARCH_PLATFORM: errno. After an error nothing is open. */
LARCH_MUST_USE larch_error larch_control_begin(larch_control_client *client, int folder, const larch_bytes *words,
                                               size_t count);
/* Waits for the next line of the reply, up to until_ms of the monotonic clock (UINT64_MAX: without end). The text holds
 * until the next call. LARCH_TIMEOUT: none came. LARCH_MALFORMED: what came is no reply, or ended before its last line.
 * LARCH_PLATFORM: errno; EINTR: a signal came. */
LARCH_MUST_USE larch_error larch_control_next(larch_control_client *client, uint64_t until_ms,
                                              larch_control_reply *reply);
/* Closes the connection, which gives up what was not done, and wipes the client. errno stays. */
void larch_control_end(larch_control_client *client);

#endif
