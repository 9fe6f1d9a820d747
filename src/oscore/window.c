/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Received numbers. The window lives in memory alone. A context whose window was lost challenges:
 *
 *                     any request                    a higher number
 *   UNSYNCHRONISED ----------------> CHALLENGED ---------------------> CHALLENGED, for that number
 *                                        |
 *                                        | a request that returns the Echo of a challenge
 *                                        v
 *                                   SYNCHRONISED: that number is the highest, and all lower ones count as received
 *
 * Nothing that is challenged is carried out, so a number that was received before the loss is never accepted twice: it
 * would have to return an Echo with the random value of this window.
 */
#include <string.h>

#include "oscore_int.h"

#define P0_LEN 5

_Static_assert(P0_LEN + sizeof(((larch_oscore_context *)0)->echo) == LARCH_OSCORE_ECHO_LEN, "the inner Echo");
_Static_assert(LARCH_OSCORE_WINDOW == 8 * sizeof(((larch_oscore_context *)0)->window), "a bit a number");

larch_error larch_oscore_forget_window(larch_oscore_context *context, const larch_random *random)
{
    uint8_t echo[sizeof context->echo];
    const larch_error e = larch_random_fill(random, echo, sizeof echo);
    if (e != LARCH_OK)
        return e;
    memcpy(context->echo, echo, sizeof echo);
    context->state = OSCORE_UNSYNCHRONISED;
    context->highest = context->window = context->challenged = context->challenge_number = context->echoed = 0;
    return LARCH_OK;
}

/* window == 0: nothing was received yet, since the highest number has bit 0. */
larch_error larch_oscore_check_number(const larch_oscore_context *context, uint64_t number)
{
    if (context->state != OSCORE_SYNCHRONISED || context->window == 0 || number > context->highest)
        return LARCH_OK;
    const uint64_t age = context->highest - number;
    return age < LARCH_OSCORE_WINDOW && (context->window >> age & 1) == 0 ? LARCH_OK : LARCH_REPLAY;
}

static void mark(larch_oscore_context *context, uint64_t number)
{
    if (context->window == 0) {
        context->highest = number;
        context->window = 1;
    } else if (number > context->highest) {
        const uint64_t step = number - context->highest;
        context->window = step < LARCH_OSCORE_WINDOW ? context->window << step | 1 : 1;
        context->highest = number;
    } else {
        context->window |= UINT64_C(1) << (context->highest - number);
    }
}

static bool is_of_window(const larch_oscore_context *context, larch_bytes echo, uint64_t *number)
{
    if (echo.len != LARCH_OSCORE_ECHO_LEN || !larch_ct_equal(echo.data + P0_LEN, context->echo, sizeof context->echo))
        return false;
    *number = larch_number_at(echo.data, P0_LEN);
    return *number <= context->challenged;
}

bool larch_oscore_count_echo(larch_oscore_context *context, larch_bytes echo, uint64_t *number)
{
    uint64_t p0;
    if (context->state != OSCORE_SYNCHRONISED || context->highest - context->synchronised_at >= LARCH_OSCORE_WINDOW ||
        !is_of_window(context, echo, &p0) || context->challenged - p0 >= LARCH_OSCORE_WINDOW)
        return false;
    const uint64_t bit = UINT64_C(1) << (context->challenged - p0);
    if ((context->echoed & bit) != 0)
        return false;
    context->echoed |= bit;
    *number = p0;
    return true;
}

void larch_oscore_put_echo(const larch_oscore_context *context, uint8_t echo[LARCH_OSCORE_ECHO_LEN])
{
    larch_writer w = larch_writer_to(echo, LARCH_OSCORE_ECHO_LEN);
    larch_writer_put_u8(&w, (uint8_t)(context->challenged >> 32));
    larch_writer_put_u32(&w, (uint32_t)context->challenged);
    larch_writer_put(&w, LARCH_BYTES(context->echo));
}

/* A number that was challenged may be higher than the one that then set the window. */
uint64_t larch_oscore_received(const larch_oscore_context *context)
{
    if (context->state != OSCORE_CHALLENGED && context->window == 0)
        return 0;
    return (context->highest > context->challenged ? context->highest : context->challenged) + 1;
}

/* A request returned the Echo: it follows a challenge of this window, which cannot have been recorded before the window
 * was lost. */
static void synchronise(larch_oscore_context *context, uint64_t number)
{
    context->state = OSCORE_SYNCHRONISED;
    context->highest = context->synchronised_at = number;
    context->window = UINT64_MAX;
}

static larch_error challenge(larch_oscore_context *context, uint64_t number, larch_oscore_verdict *verdict,
                             uint64_t *own)
{
    if (context->state == OSCORE_CHALLENGED && number < context->challenged) {
        *verdict = LARCH_OSCORE_SILENCE;
        return LARCH_OK;
    }
    if (context->state == OSCORE_CHALLENGED && number == context->challenged) {
        *verdict = LARCH_OSCORE_CHALLENGE_AGAIN;
        *own = context->challenge_number;
        return LARCH_OK;
    }
    const larch_error e = larch_oscore_take_number(context, own);
    if (e != LARCH_OK)
        return e;
    context->state = OSCORE_CHALLENGED;
    context->challenged = number;
    context->challenge_number = *own;
    *verdict = LARCH_OSCORE_CHALLENGE;
    return LARCH_OK;
}

larch_error larch_oscore_accept_number(larch_oscore_context *context, uint64_t number, larch_bytes echo,
                                       larch_oscore_verdict *verdict, uint64_t *own)
{
    uint64_t p0;
    if (context->state == OSCORE_SYNCHRONISED) {
        *verdict = larch_oscore_check_number(context, number) == LARCH_OK ? LARCH_OSCORE_FRESH : LARCH_OSCORE_REPLAYED;
        if (*verdict == LARCH_OSCORE_FRESH)
            mark(context, number);
        return LARCH_OK;
    }
    if (context->state == OSCORE_CHALLENGED && is_of_window(context, echo, &p0) && number > p0) {
        synchronise(context, number);
        *verdict = LARCH_OSCORE_FRESH;
        return LARCH_OK;
    }
    return challenge(context, number, verdict, own);
}
