/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway's configuration file. Whatever it holds: a file that is taken leaves every setting within its limits
 * and the rest as it was; one that is not is refused with its line and a reason; and both the same each time.
 */
#include "file.h"
#include "gateway/options.h"

#define REPLAY_SLOTS_MIN 16u
#define REPLAY_SLOTS_MAX (1u << 24)
#define RATE_MAX         1000000u

static gateway_options defaults(void)
{
    gateway_options o;
    memset(&o, 0, sizeof o); /* with what is between its members: it is compared whole */
    strcpy(o.listen[0], "[::]:5683");
    o.listen_count = 1;
    o.replay_slots = 1u << 17;
    o.grace_seconds = 100;
    o.limits = larch_reach_default_limits();
    return o;
}

static bool is_text(const char *text, size_t cap) { return memchr(text, '\0', cap) != NULL; }

static void check(const gateway_options *o)
{
    const larch_reach_limits *l = &o->limits;
    const uint32_t rates[] = {l->prefix_rate, l->prefix_burst, l->total_rate, l->total_burst};
    const larch_reach_limits standard = larch_reach_default_limits();
    require(o->listen_count >= 1 && o->listen_count <= GATEWAY_LISTEN_MAX);
    for (size_t i = 0; i < o->listen_count; i++)
        require(o->listen[i][0] != '\0' && is_text(o->listen[i], sizeof o->listen[i]));
    require(is_text(o->state, sizeof o->state));
    require(o->replay_slots >= REPLAY_SLOTS_MIN && o->replay_slots <= REPLAY_SLOTS_MAX &&
            (o->replay_slots & (o->replay_slots - 1)) == 0);
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        require(rates[i] >= 1 && rates[i] <= RATE_MAX);
    require(l->proven_rate <= RATE_MAX && l->proven_burst <= RATE_MAX);
    require(l->proven_ms == standard.proven_ms && l->echo_ms == standard.echo_ms); /* no settings */
    require(!o->json && !o->display);                                              /* of the command line alone */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gateway_options one = defaults(), two = defaults();
    char why[GATEWAY_STATE_MAX + 200] = "", again[sizeof why] = "", other[8];
    const char *path = file_with((larch_bytes){data, size});
    const size_t path_len = strlen(path);
    const bool taken = gateway_options_read(&one, path, why, sizeof why);
    require(gateway_options_read(&two, path, again, sizeof again) == taken);
    require(strcmp(why, again) == 0);
    require(memcmp(&one, &two, sizeof one) == 0); /* NOLINT(bugprone-*,cert-*): defaults() zeroed all of both */
    if (taken) {
        require(why[0] == '\0');
        check(&one);
    } else {
        /* FILE:LINE: WHY */
        require(strncmp(why, path, path_len) == 0 && why[path_len] == ':');
        const size_t digits = strspn(why + path_len + 1, "0123456789");
        require(digits > 0 && strncmp(why + path_len + 1 + digits, ": ", 2) == 0 && why[path_len + digits + 3] != '\0');
        require(!gateway_options_read(&two, path, other, sizeof other) && is_text(other, sizeof other));
    }
    return 0;
}
