/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gateway was told: by its command line, which wins, and by its
 * configuration file.
 */
#ifndef LARCH_APP_GATEWAY_OPTIONS_H
#define LARCH_APP_GATEWAY_OPTIONS_H

#include "larch/reach.h"

#define GATEWAY_LISTEN_MAX  4
#define GATEWAY_ADDRESS_MAX 80 /* "[fe80::1%a-long-interface]:5683" */
#define GATEWAY_STATE_MAX   1024
#define GATEWAY_NO_FOLDER   "no folder for the state: set HOME, or give one with --state DIR"

typedef struct gateway_options {
    char listen[GATEWAY_LISTEN_MAX][GATEWAY_ADDRESS_MAX];
    size_t listen_count;
    char state[GATEWAY_STATE_MAX];
    bool process_durability; /* what is answered survives the end of the process, not of the system */
    bool json;
    bool display;
    uint32_t replay_slots;
    uint32_t grace_seconds;
    larch_reach_limits limits;
} gateway_options;

/* Fills in defaults, the file named by --config, then argv. Returns -1 to go on, else
 * the exit code, after saying why (or printing the help). */
int gateway_options_take(gateway_options *options, int argc, char **argv);

/* Reads a configuration file over what options holds. false: why (cap bytes) names file,
 * line and mistake. */
bool gateway_options_read(gateway_options *options, const char *path, char *why, size_t cap);

#endif
