/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway's devices, for its operator: requests to a device, and the list of them. The gateway that runs over the state
 * folder does it, through its control socket: it has the sessions, and knows where each device is.
 *
 *     send NAME PATH [VALUE|-]    get NAME PATH    observe NAME PATH    list    add NAME    revoke NAME    rotate NAME
 *     commands NAME
 *     card    accept FILE
 *
 * and, on a device: request NAME
 *
 * qkd NAME is for either.
 */
#ifndef LARCH_APP_DEVICE_ASK_H
#define LARCH_APP_DEVICE_ASK_H

#include "common/command.h"
#include "common/store_choice.h"
#include "device/connection.h"
#include "device/enrol.h"
#include "larch/lake.h"
#include "text/json.h"

/* A key delivery service [ETSI GS QKD 014]. "": not given. */
typedef struct device_qkd_service {
    char url[256]; /* https://HOST[:PORT][/PATH] */
    char sae[129]; /* of the other end */
    char cert[LARCH_POSIX_PATH_MAX], key[LARCH_POSIX_PATH_MAX], cacert[LARCH_POSIX_PATH_MAX]; /* files, in PEM */
    char key_id[64]; /* on the device: which key */
} device_qkd_service;

typedef struct device_asking {
    char state[LARCH_POSIX_PATH_MAX]; /* "": the default */
    unsigned method;                  /* of send and add: an index of device_methods */
    char suite[32];                   /* of add, card and request; "": not given */
    unsigned reference;               /* of add and request: an index of device_references */
    char card[LARCH_POSIX_PATH_MAX];  /* of request and qkd: the gateway's credential; "": not given */
    device_qkd_service qkd;           /* of qkd: whom it asks, and for what */
    double timeout;                   /* seconds */
    unsigned long count;              /* of notifications; 0: without end */
    bool json;
    bool waits;                         /* of send: until the command has ended */
    double expires;                     /* of send: seconds */
    char out[LARCH_POSIX_PATH_MAX];     /* of add: where its enrolment goes; "": not given */
    char allow[LARCH_POLICY_MAX][64];   /* of add and import: what the devices may use */
    size_t allow_count;                 /* 0: all */
    bool draws;                         /* of add: the enrolment as a QR code on stdout */
    char picture[LARCH_POSIX_PATH_MAX]; /* and as a PNG; "": not given */
    bool is_dry, is_sure;               /* of import: only checks; of forget: does not ask */
    char authority[256];                /* of add: HOST[:PORT] of the gateway; "": none */
    larch_store_choice store;           /* of add, import and revoke: for a folder without a gateway */
} device_asking;

/* What rotate posts, and where: a device of larch then renews its session. */
#define DEVICE_SESSION "session"
#define DEVICE_RENEW   "renew"

/* Ended by NULL. */
enum { DEVICE_METHOD_POST, DEVICE_METHOD_PUT, DEVICE_METHOD_PSK, DEVICE_METHOD_SIGNATURES };
extern const char *const device_methods[];
enum { DEVICE_BY_KID, DEVICE_BY_CCS, DEVICE_BY_CWT, DEVICE_BY_HASH }; /* as larch_lake_reference_kind */
extern const char *const device_references[];

/* Whether this is one of the actions above. */
bool device_is_asking(const char *action);
/* Does what the operands say, the first of which is the action. Whatever the device or the gateway sent is printed so
 * that a terminal can show it; what is no terminal gets the body of an answer as it is. LARCH_EXIT_FAILED: the device
 * answered with an error, or did not answer, or no gateway runs; it has said which. */
larch_exit device_ask(const device_asking *asking, const larch_operands *operands);
/* An answer of a device, as the gateway passes it on: "2.05 HEX". */
#define DEVICE_CODE_LEN   4
#define DEVICE_LINE_BYTES (8 * LARCH_COAP_BODY_MAX + 1024) /* each byte escaped, and in hexadecimal */
typedef struct device_answer {
    char code[DEVICE_CODE_LEN + 1];
    size_t len;
    uint8_t body[LARCH_COAP_BODY_MAX];
} device_answer;
bool device_take_answer(larch_bytes text, device_answer *answer);
/* "text", and "hex" if it is none. */
void device_put_body(larch_json *json, const device_answer *answer);
/* On stdout, or as a complaint if it is an error: as the options say, or in plain unless it is_printed already. in_lines: others may
 * follow. LARCH_EXIT_FAILED: it is an error. */
larch_exit device_show_answer(const device_asking *asking, const char *name, bool in_lines,
                              const device_answer *answer);
larch_exit device_print_answer(bool is_printed, const char *name, const device_answer *answer);

/* Commands that may wait for their device (queue.c). */
#define DEVICE_EXPIRES_S     86400
#define DEVICE_EXPIRES_MAX_S 2592000
larch_exit device_send(device_connection *gateway, const device_asking *asking, const char *name, const char *path,
                       larch_bytes value);
larch_exit device_commands(device_connection *gateway, const device_asking *asking, const char *name);
/* The parts of it that change which devices there are (add.c). */
larch_exit device_add(device_connection *gateway, const device_asking *asking, const char *name);
larch_exit device_revoke(device_connection *gateway, const char *name);
larch_exit device_forget(device_connection *gateway, const device_asking *asking, const char *name);
/* As device_revoke, without a word on success. */
larch_exit device_ask_revoke(device_connection *gateway, const char *name);
/* What --method, --suite, --by and --authority say, and --allow. */
larch_exit device_take_enrolling(const device_asking *asking, device_enrolling *enrolling);
larch_exit device_take_policy(const device_asking *asking, larch_policy_entry policy[LARCH_POLICY_MAX]);
/* Many at once, from a file (import.c). */
larch_exit device_import(device_connection *gateway, const device_asking *asking, const char *path);
/* Those that credentials of an authority need (request.c). */
larch_exit device_card(device_connection *gateway, const device_asking *asking);
larch_exit device_accept(device_connection *gateway, const char *path);
larch_exit device_request(const device_asking *asking, const char *name);
/* With a key of a key delivery service, on either side (qkd.c). */
larch_exit device_qkd(device_connection *gateway, const device_asking *asking, const char *name);
/* LARCH_LAKE_METHOD_PSK or LARCH_LAKE_METHOD_SIGNATURES: that of add. */
unsigned device_method(const device_asking *asking);
/* That of --suite, or the default; NULL: there is none. */
const larch_lake_suite *device_suite(const device_asking *asking);

#endif
