/* SPDX-License-Identifier: Apache-2.0 */
#include "steps.h"
#include "board/board.h"
#include "say.h"

static struct {
    uint32_t begin, least, times;
} steps[LARCH_STEP_COUNT];

static void take(void *context, larch_step step, bool begin, size_t bytes)
{
    (void)context;
    (void)bytes;
    if (begin) {
        steps[step].begin = larch_board_instructions();
    } else {
        const uint32_t cost = larch_board_instructions() - steps[step].begin;
        if (steps[step].times++ == 0 || cost < steps[step].least)
            steps[step].least = cost;
    }
}

const larch_trace larch_steps_trace = {take, NULL};

void larch_steps_say(void)
{
    for (unsigned i = 0; i < LARCH_STEP_COUNT; i++)
        if (steps[i].times > 0)
            larch_say("step: %s %u instructions, the least of %u times", larch_step_text((larch_step)i), steps[i].least,
                      steps[i].times);
}
