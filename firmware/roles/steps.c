/* SPDX-License-Identifier: Apache-2.0 */
#include "steps.h"
#include "board/board.h"
#include "say.h"

typedef struct cost {
    uint32_t least, times;
} cost;

static cost steps[LARCH_STEP_COUNT], message;
static uint32_t began[LARCH_STEP_COUNT];

static void note(cost *c, uint32_t instructions)
{
    if (c->times++ == 0 || instructions < c->least)
        c->least = instructions;
}

static void take(void *context, larch_step step, bool begin, size_t bytes)
{
    (void)context;
    (void)bytes;
    if (begin)
        began[step] = larch_board_instructions();
    else
        note(&steps[step], larch_board_instructions() - began[step]);
}

void larch_steps_message(uint32_t instructions) { note(&message, instructions); }

const larch_trace larch_steps_trace = {take, NULL};

static void say(const char *what, const cost *c)
{
    if (c->times > 0)
        larch_say("step: %s %u instructions, the least of %u times", what, c->least, c->times);
}

void larch_steps_command(larch_bytes rest)
{
    (void)rest;
    for (unsigned i = 0; i < LARCH_STEP_COUNT; i++)
        say(larch_step_text((larch_step)i), &steps[i]);
    say("message", &message);
}
