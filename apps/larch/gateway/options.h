/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gateway was told: by its command line, which wins, and by its
 * configuration file.
 */
#ifndef LARCH_APP_GATEWAY_OPTIONS_H
#define LARCH_APP_GATEWAY_OPTIONS_H

#include "common/app.h"
#include "common/store_choice.h"
#include "larch/reach.h"
#include "storage.h"

#define GATEWAY_LISTEN_MAX  4
#define GATEWAY_ADDRESS_MAX 80 /* "[fe80::1%a-long-interface]:5683" */
#define GATEWAY_STATE_MAX   1024
#define GATEWAY_SUITES_MAX  6
#define GATEWAY_SLOTS       256 /* requests that share a sync */

/* What a message has to come by. */
typedef enum gateway_require { GATEWAY_REQUIRE_NOTHING, GATEWAY_REQUIRE_LAKE } gateway_require;

typedef struct gateway_options {
    char listen[GATEWAY_LISTEN_MAX][GATEWAY_ADDRESS_MAX];
    size_t listen_count;
    char state[GATEWAY_STATE_MAX];
    const char *config; /* the file that was read; NULL: none */
    char config_found[GATEWAY_STATE_MAX];
    larch_posix_durability durability;
    gateway_require require;
    int8_t suites[GATEWAY_SUITES_MAX]; /* of handshakes, the most preferred first */
    size_t suite_count;
    char authority[GATEWAY_STATE_MAX]; /* file with the public key of the fleet's authority; "": none */
    bool json;
    bool display;
    uint32_t replay_slots;
    uint32_t addresses;
    uint32_t contexts;
    uint32_t grace_seconds;
    uint64_t outbox_bytes;
    larch_store_choice store;
    char entropy[GATEWAY_STATE_MAX]; /* a device; "": none */
    larch_reach_limits limits;
} gateway_options;

/* Fills in defaults, then the file named by --config, or else $CONFIGURATION_DIRECTORY/gateway.ini if that is there, then
 * argv. */
larch_exit gateway_options_take(gateway_options *options, int argc, char **argv);

/* Reads file and command line again while the gateway runs. Takes over into options the settings that may change then:
 * [limits], but for addresses. Writes the names of those that it took, and of those that differ but need a restart, as
 * "a, b" (GATEWAY_NAMES_MAX bytes; "": none). false: why (cap bytes) says what is wrong, and nothing was taken. */
#define GATEWAY_NAMES_MAX 512
bool gateway_options_reload(gateway_options *options, int argc, char **argv, char taken[GATEWAY_NAMES_MAX],
                            char left[GATEWAY_NAMES_MAX], char *why, size_t cap);

/* Reads a configuration file over what options holds. false: why (cap bytes) names file,
 * line and mistake. */
bool gateway_options_read(gateway_options *options, const char *path, char *why, size_t cap);

#endif
