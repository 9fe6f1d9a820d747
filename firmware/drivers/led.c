/* SPDX-License-Identifier: Apache-2.0 */
#include "led.h"

#define TIMES_MAX 12

typedef struct pattern {
    bool lasts;
    uint8_t count;
    uint16_t times_ms[TIMES_MAX]; /* lit, dark, lit, ... */
} pattern;

#define COUNT(...)                  (sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t))
#define ROW(name, lasts, text, ...) [LARCH_LED_##name] = {lasts, COUNT(__VA_ARGS__), {__VA_ARGS__}},
static const pattern patterns[LARCH_LED_PATTERN_COUNT] = {LARCH_LED_PATTERNS(ROW)};
#undef ROW

const char *larch_led_text(larch_led_pattern which)
{
#define TEXT(name, lasts, text, ...) [LARCH_LED_##name] = text,
    static const char *const texts[LARCH_LED_PATTERN_COUNT] = {LARCH_LED_PATTERNS(TEXT)};
#undef TEXT
    return texts[which];
}

static uint64_t period_ms(const pattern *p)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < p->count; i++)
        sum += p->times_ms[i];
    return sum;
}

void larch_led_init(larch_led *led) { *led = (larch_led){.lasting = LARCH_LED_DARK}; }

/* The event's pattern that is under way, NULL: none; and since when. */
static const pattern *passing_at(const larch_led *led, uint64_t now_ms, uint64_t *since_ms)
{
    *since_ms = led->since_ms;
    for (size_t i = 0; i < 2 && led->passing[i] != LARCH_LED_DARK; i++) {
        const pattern *p = &patterns[led->passing[i]];
        if (now_ms - *since_ms < period_ms(p))
            return p;
        *since_ms += period_ms(p);
    }
    return NULL;
}

void larch_led_start(larch_led *led, larch_led_pattern which, uint64_t now_ms)
{
    uint64_t since_ms;

    if (patterns[which].lasts) {
        led->lasting = which;
        led->lasting_since_ms = now_ms;
        return;
    }
    const pattern *under_way = passing_at(led, now_ms, &since_ms);
    led->since_ms = under_way != NULL ? since_ms : now_ms;
    led->passing[0] = under_way != NULL ? (larch_led_pattern)(under_way - patterns) : which;
    led->passing[1] = under_way != NULL ? which : LARCH_LED_DARK;
}

/* Lit or not, at_ms after a round of the pattern began; *rest_ms of it in this state are left. */
static bool lit_at(const pattern *p, uint64_t at_ms, uint64_t *rest_ms)
{
    size_t i = 0;
    while (at_ms >= p->times_ms[i])
        at_ms -= p->times_ms[i++];
    *rest_ms = p->times_ms[i] - at_ms;
    return i % 2 == 0;
}

bool larch_led_at(const larch_led *led, uint64_t now_ms, uint64_t *deadline_ms)
{
    uint64_t since_ms, rest_ms;
    const pattern *p = passing_at(led, now_ms, &since_ms);

    if (p == NULL) {
        p = &patterns[led->lasting];
        if (p->count <= 1) { /* never changes */
            *deadline_ms = UINT64_MAX;
            return p->times_ms[0] > 0;
        }
        since_ms = now_ms - (now_ms - led->lasting_since_ms) % period_ms(p);
    }
    bool lit = lit_at(p, now_ms - since_ms, &rest_ms);
    *deadline_ms = now_ms + rest_ms;
    return lit;
}
