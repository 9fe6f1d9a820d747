/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every schedule of a few events, and many long random ones, of the world in world.h.
 *
 *     model_sessions DEPTH SCHEDULES [SEED]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define DEPTH_MAX     12
#define RANDOM_EVENTS 200

/* ---- every schedule of a few events ----------------------------------------------- */

/* A burst is more than half an epoch, so two of them need the next one. */
#define BURST 200u

#define MAKE          \
    {                 \
        EVENT_MAKE, 0 \
    }
#define DELIVER(n)         \
    {                      \
        EVENT_DELIVER, (n) \
    }
#define FETCH          \
    {                  \
        EVENT_FETCH, 0 \
    }
#define DROP          \
    {                 \
        EVENT_DROP, 0 \
    }
#define TAKE(who)                     \
    {                                 \
        EVENT_TAKE, BURST * 2 + (who) \
    }
#define ADD          \
    {                \
        EVENT_ADD, 0 \
    }
#define RELOAD          \
    {                   \
        EVENT_RELOAD, 0 \
    }
#define TIME           \
    {                  \
        EVENT_TIME, 40 \
    }
#define CUT(after)         \
    {                      \
        EVENT_CUT, (after) \
    }
#define CRASH          \
    {                  \
        EVENT_CRASH, 0 \
    }
#define STOP          \
    {                 \
        EVENT_STOP, 0 \
    }
#define COPY          \
    {                 \
        EVENT_COPY, 0 \
    }
#define RESTORE          \
    {                    \
        EVENT_RESTORE, 0 \
    }
#define END            \
    {                  \
        EVENT_KINDS, 0 \
    }

#define LETTERS_MAX 20

/* What comes first, and then every schedule of these letters, so many of them as DEPTH and more. */
typedef struct search {
    const char *name;
    world_clock clock;
    unsigned stride; /* between the device's numbers */
    unsigned more;
    world_step first[LETTERS_MAX], letters[LETTERS_MAX];
} search;

/* clang-format off */
static const search searches[] = {
    {"all", CLOCK_RIGHT, 40, 0, {END},
     {MAKE, DELIVER(0), DELIVER(1), FETCH, DROP, TAKE(KEPT), TAKE(ADDED), ADD, RELOAD, TIME, CUT(0), CUT(1), CRASH, STOP, COPY, RESTORE, END}},
    {"own numbers", CLOCK_RIGHT, 1, 1, {END},
     {TAKE(KEPT), TAKE(ADDED), ADD, RELOAD, TIME, CUT(0), CUT(1), CRASH, STOP, COPY, RESTORE, END}},
    {"own numbers, clock behind", CLOCK_BEHIND, 1, 1, {TAKE(KEPT), CRASH, END},
     {TAKE(KEPT), TAKE(ADDED), ADD, RELOAD, TIME, CUT(0), CUT(1), CRASH, STOP, END}},
    {"own numbers, no clock", CLOCK_ABSENT, 1, 1, {END},
     {TAKE(KEPT), TAKE(ADDED), ADD, RELOAD, TIME, CUT(0), CUT(1), CRASH, STOP, END}},
    {"requests to a new session", CLOCK_RIGHT, 22, 3, {END},
     {MAKE, DELIVER(0), DELIVER(1), DELIVER(2), DELIVER(3), END}},
    {"requests", CLOCK_RIGHT, 1, 3, {DROP, END},
     {MAKE, DELIVER(0), DELIVER(1), DELIVER(2), FETCH, DROP, END}},
    {"requests after a restart", CLOCK_RIGHT, 1, 2,
     {MAKE, DELIVER(0), MAKE, MAKE, DELIVER(0), MAKE, CRASH, END}, /* of four requests, two were carried out */
     {MAKE, DELIVER(0), DELIVER(1), DELIVER(2), DELIVER(3), FETCH, CRASH, END}},
    {"requests past the window", CLOCK_RIGHT, 33, 2,
     {DROP, MAKE, MAKE, DELIVER(0), FETCH, MAKE, MAKE, DELIVER(1), END}, /* it is synchronised */
     {MAKE, DELIVER(0), DELIVER(1), DELIVER(2), DELIVER(3), DROP, END}},
};
/* clang-format on */

static unsigned long schedules;

/* Depth first; worlds[depth] is what the steps so far have led to. */
static void run_every(const search *s, unsigned depth_max)
{
    static world worlds[DEPTH_MAX + 1];
    static size_t letter[DEPTH_MAX + 1];
    static world_step trail[LETTERS_MAX + DEPTH_MAX];
    unsigned depth = 0, first = 0;
    world_init(&worlds[0], s->clock, s->stride);
    for (; s->first[first].kind != EVENT_KINDS; first++) {
        trail[first] = s->first[first];
        world_trail_set(trail, first + 1);
        world_step_once(&worlds[0], trail[first]);
    }
    letter[0] = 0;
    for (;;) {
        if (depth == depth_max || s->letters[letter[depth]].kind == EVENT_KINDS) {
            if (depth == depth_max) {
                schedules++;
                world_check_liveness(&worlds[depth]);
            }
            if (depth == 0)
                return;
            depth--;
            continue;
        }
        trail[first + depth] = s->letters[letter[depth]++];
        world_trail_set(trail, first + depth + 1);
        worlds[depth + 1] = worlds[depth];
        if (world_step_once(&worlds[depth + 1], trail[first + depth]))
            letter[++depth] = 0;
    }
}

/* ---- long random schedules ------------------------------------------------------------ */

static uint64_t seed;

static unsigned draw(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)((seed >> 16) % below);
}

static world_step draw_step(const uint8_t weights[EVENT_KINDS], unsigned sum)
{
    world_step step = {0, 0};
    unsigned at = draw(sum);
    while (at >= weights[step.kind])
        at -= weights[step.kind++];
    switch ((world_event)step.kind) {
    case EVENT_DELIVER:
        step.argument = (uint16_t)(draw(3) != 0 ? draw(3) : draw(64));
        break;
    case EVENT_TAKE:
        step.argument = (uint16_t)((1 + (draw(4) == 0 ? draw(400) : draw(20))) * 2 + draw(2));
        break;
    case EVENT_TIME:
        step.argument = (uint16_t)(draw(4) == 0 ? draw(300) : draw(3));
        break;
    case EVENT_CUT:
        step.argument = (uint16_t)draw(2);
        break;
    default:
        break;
    }
    return step;
}

/* Each schedule has weights of its own: some are all restarts, and others hardly have any. */
static void run_random(unsigned long index)
{
    static world w;
    static world_step trail[RANDOM_EVENTS];
    uint8_t weights[EVENT_KINDS];
    unsigned sum = 0, calm;
    seed = (index + 1) * UINT64_C(0x9e3779b97f4a7c15);
    calm = 1 + draw(8);
    for (unsigned k = 0; k < EVENT_KINDS; k++)
        sum += weights[k] = (uint8_t)(draw(4) == 0 ? 0 : 1 + draw(k <= EVENT_TAKE ? 30 * calm : 6));
    weights[EVENT_MAKE]++;
    sum++;
    world_init(&w, (world_clock)draw(3), 1 + (draw(2) == 0 ? 0 : draw(80)));
    for (unsigned i = 0; i < RANDOM_EVENTS; i++) {
        trail[i] = draw_step(weights, sum);
        world_trail_set(trail, i + 1);
        world_step_once(&w, trail[i]);
    }
    world_check_liveness(&w);
}

/* A count that is zero means that a check was empty. */
static void need(const char *what, unsigned long count)
{
    printf(" %s %lu", what, count);
    if (count == 0) {
        fprintf(stderr, "\nnothing was checked: %s\n", what);
        exit(1);
    }
}

static void report(const char *what, unsigned long count)
{
    printf("%s: %lu schedules:", what, count);
    need("executions", counts.executions);
    need("echoes", counts.echoes);
    need("challenges", counts.challenges);
    need("again", counts.again);
    need("silences", counts.silences);
    need("replays", counts.replays);
    need("takes", counts.takes);
    need("waits", counts.waits);
    need("cuts", counts.cuts);
    need("restores", counts.restores);
    need("reloads", counts.reloads);
    need("lives", counts.lives);
    printf("\n");
    memset(&counts, 0, sizeof counts);
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: %s DEPTH SCHEDULES [SEED]\n", argv[0]);
        return 2;
    }
    const unsigned depth = (unsigned)strtoul(argv[1], NULL, 10);
    const unsigned long count = strtoul(argv[2], NULL, 10), first = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    world_keys();
    for (size_t i = 0; depth > 0 && i < sizeof searches / sizeof searches[0]; i++) {
        if (depth + searches[i].more > DEPTH_MAX)
            return 2;
        const unsigned long before = schedules;
        run_every(&searches[i], depth + searches[i].more);
        printf("%s: %lu\n", searches[i].name, schedules - before);
    }
    if (depth > 0)
        report("exhaustive", schedules);
    for (unsigned long i = 0; i < count; i++)
        run_random(first + i);
    if (count > 0)
        report("random", count);
    return 0;
}
