/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "larch/crypto.h"
#include "sealed.h"

#define UNIX_2026 UINT64_C(1767225600)
#define START_MS  UINT64_C(86400000) /* of the monotonic clock, whose zero means nothing */
#define NOTHING   ((larch_bytes){NULL, 0})

world_counts counts;

/* Requests and uses are only ever appended, so that branches of a search share them. */
static struct {
    uint64_t number, p0;
    uint16_t window; /* whose Echo it has; 0: none */
    uint8_t echo[LARCH_OSCORE_ECHO_LEN];
} messages[WORLD_MESSAGES];

static world *current; /* whose power may fail */

/* ---- failures ---------------------------------------------------------------- */

static const world_step *trail;
static unsigned trail_count;

void world_trail_set(const world_step *steps, unsigned count)
{
    trail = steps;
    trail_count = count;
}

static void fail(const char *what, int line)
{
    static const char *const names[] = {"make", "deliver", "fetch", "take", "add",  "drop",    "reload",
                                        "time", "cut",     "crash", "stop", "copy", "restore", "device-stop"};
    fprintf(stderr, "%s:%d: does not hold: %s\nafter:", __FILE__, line, what);
    for (unsigned i = 0; i < trail_count; i++)
        fprintf(stderr, " %s(%u)", names[trail[i].kind], trail[i].argument);
    fprintf(stderr, "\n");
    exit(1);
}

#define CHECK(what)                \
    do {                           \
        if (!(what))               \
            fail(#what, __LINE__); \
    } while (0)

/* ---- the gateway's storage and random ------------------------------------------- */

static larch_error raise_end(void *context, uint64_t epoch)
{
    (void)context;
    world *w = current;
    if (w->is_down || w->cut == CUT_BEFORE) {
        w->is_down = true;
        w->cut = CUT_NONE;
        return LARCH_PLATFORM;
    }
    CHECK(epoch > w->disk.end);
    w->disk.end = epoch;
    if (w->cut == CUT_AFTER) {
        w->is_down = true;
        w->cut = CUT_NONE;
        return LARCH_PLATFORM;
    }
    return LARCH_OK;
}

static const larch_contexts contexts = {.raise = raise_end};

static larch_error count_up(void *context, uint8_t *out, size_t len)
{
    uint32_t *drawn = context;
    ++*drawn;
    memset(out, 0, len);
    memcpy(out, drawn, len < sizeof *drawn ? len : sizeof *drawn);
    return LARCH_OK;
}

/* ---- own numbers: the sets ------------------------------------------------------- */

static uint64_t max(uint64_t a, uint64_t b) { return a > b ? a : b; }

static uint64_t epochs_used(const world *w) { return (max(w->used_end[KEPT], w->used_end[ADDED]) + 255) >> 8; }

/* A number was handed out: never before, below what is durable, and not ahead of the clock. A set whose members only
 * grow is its largest member, and that is asserted too. */
static void use_number(world *w, unsigned which, uint64_t number)
{
    CHECK(number >= w->used_end[which]);
    CHECK(number >> 8 < w->disk.end);
    CHECK(number >> 8 <= max(w->first_epoch[which], w->start_epoch + w->passed_s));
    w->used_end[which] = number + 1;
}

static uint64_t now_ms(const world *w) { return START_MS + 1000 * w->passed_s; }

static void forget_window(world *w, unsigned which)
{
    const larch_random random = {count_up, &w->random};
    CHECK(larch_oscore_forget_window(&w->session[which].oscore, &random) == LARCH_OK);
    if (which != KEPT)
        return;
    w->lost++;
    w->made_when_lost = w->made;
    w->is_synchronised = w->was_challenged = false;
}

static void put_in_memory(world *w, unsigned which)
{
    memset(&w->session[which], 0, sizeof w->session[which]);
    w->session[which].number = which + 1;
    w->session[which].oscore = *sealed_gateway_end(which);
    w->is_loaded[which] = true;
}

static void load(world *w, unsigned which)
{
    put_in_memory(w, which);
    forget_window(w, which);
}

static void begin_stored(world *w, unsigned which)
{
    load(w, which);
    larch_epochs_begin(&w->epochs, &w->session[which]);
    w->first_epoch[which] = w->start_epoch;
}

static void start(world *w)
{
    static const uint64_t part[] = {[CLOCK_RIGHT] = 1, [CLOCK_BEHIND] = 2};
    const uint64_t shown_s = w->clock == CLOCK_ABSENT ? 0 : w->wall_s / part[w->clock];
    larch_error e;
    do { /* a cut during a start is followed by another start */
        w->is_down = false;
        w->passed_s = 0;
        w->start_epoch = max(w->disk.end, shown_s);
        e = larch_epochs_start(&w->epochs, &contexts, START_MS, w->disk.end,
                               w->clock == CLOCK_ABSENT ? 0 : UNIX_2026 + shown_s);
        CHECK(e == LARCH_OK || (e == LARCH_PLATFORM && w->is_down));
    } while (e != LARCH_OK);
    CHECK(w->start_epoch >= epochs_used(w));
    w->is_loaded[ADDED] = false;
    begin_stored(w, KEPT);
    if (w->disk.has_added)
        begin_stored(w, ADDED);
    counts.lives++;
}

static void restart_if_down(world *w)
{
    if (!w->is_down)
        return;
    counts.cuts++;
    start(w);
}

static void take(world *w, unsigned which, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t number;
        const larch_error e = larch_epochs_take(&w->epochs, &w->session[which], now_ms(w), &number);
        CHECK(e == LARCH_OK || e == LARCH_AGAIN || (e == LARCH_PLATFORM && w->is_down));
        if (e != LARCH_OK) {
            counts.waits += e == LARCH_AGAIN;
            break;
        }
        use_number(w, which, number);
        if (i == 0 || i + 1 == count)
            sealed_notification(&w->session[which].oscore, which, number, ++w->uses);
        counts.takes++;
    }
    restart_if_down(w);
}

/* Begins where none was; how it began is seen by its numbers. */
static void begin_new(world *w, unsigned which)
{
    const uint64_t before = w->disk.end;
    load(w, which);
    const larch_error e = larch_epochs_begin_new(&w->epochs, &w->session[which]);
    CHECK(e == LARCH_OK || (e == LARCH_PLATFORM && w->is_down));
    w->first_epoch[which] = before;
    if (e == LARCH_OK && which == ADDED)
        w->disk.has_added = true;
    restart_if_down(w);
}

static void stop(world *w)
{
    const uint64_t unused = larch_epochs_unused(&w->epochs);
    CHECK(unused >= epochs_used(w) && unused <= w->disk.end);
    w->disk.end = unused;
    start(w);
}

/* ---- received numbers: the sets ----------------------------------------------------- */

static bool is_executed(const world *w, unsigned i) { return (w->executed[i / 64] >> i % 64 & 1) != 0; }

static larch_oscore_verdict expected(const world *w, unsigned i)
{
    const uint64_t number = messages[i].number;
    if (w->is_synchronised) {
        const bool is_old = number < w->open_from || number + LARCH_OSCORE_WINDOW <= w->highest;
        return is_executed(w, i) || is_old ? LARCH_OSCORE_REPLAYED : LARCH_OSCORE_FRESH;
    }
    if (w->was_challenged && messages[i].window == w->lost && number > messages[i].p0)
        return LARCH_OSCORE_FRESH;
    if (w->was_challenged && number <= w->challenged)
        return number == w->challenged ? LARCH_OSCORE_CHALLENGE_AGAIN : LARCH_OSCORE_SILENCE;
    return LARCH_OSCORE_CHALLENGE;
}

static void put_on_network(world *w)
{
    larch_oscore_put_echo(&w->session[KEPT].oscore, w->challenge);
    w->challenge_p0 = w->challenged;
    w->challenge_window = w->lost;
    w->has_challenge = true;
}

static void on_fresh(world *w, unsigned i)
{
    CHECK(!is_executed(w, i));
    CHECK(i >= w->made_when_lost); /* nothing from before the window was lost */
    w->executed[i / 64] |= UINT64_C(1) << i % 64;
    if (!w->is_synchronised) {
        w->is_synchronised = true;
        w->highest = messages[i].number;
        w->open_from = w->highest + 1;
        counts.echoes++;
    }
    w->highest = max(w->highest, messages[i].number);
    counts.executions++;
    sealed_response(&w->session[KEPT].oscore, messages[i].number, ++w->uses); /* done twice, it would differ */
}

static void deliver(world *w, unsigned i)
{
    larch_session *session = &w->session[KEPT];
    const larch_bytes echo = messages[i].window != 0 ? LARCH_BYTES(messages[i].echo) : NOTHING;
    const larch_oscore_verdict expects = expected(w, i);
    larch_oscore_verdict verdict = LARCH_OSCORE_REPLAYED;
    uint64_t own = 0;
    if (larch_oscore_check_number(&session->oscore, messages[i].number) != LARCH_OK) {
        CHECK(expects == LARCH_OSCORE_REPLAYED);
        counts.replays++;
        return;
    }
    larch_error e = larch_oscore_accept_number(&session->oscore, messages[i].number, echo, &verdict, &own);
    if (e == LARCH_SPENT && (e = larch_epochs_allow(&w->epochs, session, now_ms(w))) == LARCH_OK)
        e = larch_oscore_accept_number(&session->oscore, messages[i].number, echo, &verdict, &own);
    CHECK(e == LARCH_OK || (e == LARCH_AGAIN && expects == LARCH_OSCORE_CHALLENGE) ||
          (e == LARCH_PLATFORM && w->is_down));
    if (e != LARCH_OK) {
        restart_if_down(w);
        return;
    }
    CHECK(verdict == expects);
    switch (verdict) {
    case LARCH_OSCORE_FRESH:
        on_fresh(w, i);
        break;
    case LARCH_OSCORE_CHALLENGE:
        use_number(w, KEPT, own);
        larch_session_count_protected(session);
        w->was_challenged = true;
        w->challenged = messages[i].number;
        w->challenge_own = own;
        put_on_network(w);
        sealed_challenge(&session->oscore, own, w->challenged, w->challenge);
        counts.challenges++;
        break;
    case LARCH_OSCORE_CHALLENGE_AGAIN: /* one number, one content */
        CHECK(own == w->challenge_own);
        put_on_network(w);
        sealed_challenge(&session->oscore, own, w->challenged, w->challenge);
        counts.again++;
        break;
    case LARCH_OSCORE_REPLAYED:
        counts.replays++;
        break;
    case LARCH_OSCORE_SILENCE:
        counts.silences++;
        break;
    }
}

/* ---- the device -------------------------------------------------------------------- */

static void make(world *w)
{
    messages[w->made].number = w->next_number;
    messages[w->made].window = w->window;
    messages[w->made].p0 = w->p0;
    memcpy(messages[w->made].echo, w->echo, sizeof w->echo);
    sealed_request(w->next_number, w->made, w->window != 0 ? LARCH_BYTES(w->echo) : NOTHING);
    w->next_number += w->stride;
    w->made++;
}

static void fetch(world *w)
{
    memcpy(w->echo, w->challenge, sizeof w->echo);
    w->window = w->challenge_window; /* which may be lost by now */
    w->p0 = w->challenge_p0;
    w->has_challenge = false;
}

/* ---- steps --------------------------------------------------------------------------- */

void world_keys(void) { CHECK(larch_crypto_init() == LARCH_OK && sealed_make_keys()); }

void world_init(world *w, world_clock clock, unsigned stride)
{
    memset(w, 0, sizeof *w);
    current = w;
    w->clock = clock;
    w->wall_s = 1000;
    w->stride = stride;
    sealed_new_schedule();
    start(w);
    put_in_memory(w, KEPT); /* by a handshake: no window was lost, and nothing was received */
    larch_epochs_begin(&w->epochs, &w->session[KEPT]);
    w->is_synchronised = true;
    w->open_from = w->highest = 0;
}

static bool can(const world *w, world_step step)
{
    switch ((world_event)step.kind) {
    case EVENT_MAKE:
        return w->made < WORLD_MESSAGES;
    case EVENT_DELIVER:
        return step.argument < w->made;
    case EVENT_FETCH:
        return w->has_challenge;
    case EVENT_TAKE:
        return w->is_loaded[step.argument & 1];
    case EVENT_ADD:
        return !w->is_loaded[ADDED];
    case EVENT_CUT:
        return w->cut == CUT_NONE;
    case EVENT_COPY:
        return !w->has_copy || w->copy.end != w->disk.end || w->copy.has_added != w->disk.has_added;
    case EVENT_RESTORE:
        return w->has_copy && w->clock == CLOCK_RIGHT && w->wall_s >= epochs_used(w);
    default:
        return true;
    }
}

bool world_step_once(world *w, world_step step)
{
    current = w;
    if (!can(w, step))
        return false;
    switch ((world_event)step.kind) {
    case EVENT_MAKE:
        make(w);
        break;
    case EVENT_DELIVER:
        deliver(w, w->made - 1 - step.argument);
        break;
    case EVENT_FETCH:
        fetch(w);
        break;
    case EVENT_TAKE:
        take(w, step.argument & 1, step.argument >> 1);
        break;
    case EVENT_ADD:
        begin_new(w, ADDED);
        break;
    case EVENT_DROP:
        forget_window(w, KEPT);
        break;
    case EVENT_RELOAD:
        begin_new(w, KEPT);
        counts.reloads++;
        break;
    case EVENT_TIME:
        w->wall_s += step.argument;
        w->passed_s += step.argument;
        break;
    case EVENT_CUT:
        w->cut = step.argument != 0 ? CUT_AFTER : CUT_BEFORE;
        break;
    case EVENT_CRASH:
        start(w);
        break;
    case EVENT_STOP:
        stop(w);
        break;
    case EVENT_COPY:
        w->copy = w->disk;
        w->has_copy = true;
        break;
    case EVENT_RESTORE:
        w->disk = w->copy;
        start(w);
        counts.restores++;
        break;
    case EVENT_DEVICE_STOP:
        w->next_number = (w->next_number + 7) / 8 * 8;
        w->window = 0;
        break;
    case EVENT_KINDS:
        break;
    }
    return true;
}

/* At most one message waits for the clock, which a start or an addition ran ahead of. */
static void send_one(world *w)
{
    make(w);
    w->has_challenge = false;
    deliver(w, w->made - 1);
    if (!is_executed(w, w->made - 1) && !w->has_challenge) {
        w->passed_s += 4096;
        deliver(w, w->made - 1);
    }
}

void world_check_liveness(world *w)
{
    const world_counts before = counts;
    current = w;
    w->cut = CUT_NONE;
    w->window = 0;
    send_one(w);
    if (!is_executed(w, w->made - 1)) {
        CHECK(w->has_challenge);
        fetch(w);
        send_one(w);
        CHECK(is_executed(w, w->made - 1));
    }
    counts = before;
}
