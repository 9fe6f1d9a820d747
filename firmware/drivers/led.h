/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the one LED of a board says. Patterns are data, times come in and deadlines go out; whoever drives it sets
 * the pin. A pattern either lasts, and then shows whenever nothing else does, or passes and is an event's.
 */
#ifndef LARCH_LED_H
#define LARCH_LED_H

#include "larch/base.h"

/* X(NAME, lasts, how it looks, milliseconds lit, dark, lit, ...) */
#define LARCH_LED_PATTERNS(X)                                                                                     \
    X(DARK, true, "dark", 0)                                                                                      \
    X(START, true, "lit", 1000)                                                                                   \
    X(NETWORK, true, "slow blink: waits for the network", 400, 1600)                                              \
    X(READY, true, "a blip every five seconds: serves", 20, 4980)                                                 \
    X(FAULT, true, "fast blink without end: needs a person", 100, 100)                                            \
    X(ACCEPTED, false, "one long flash: opened, accepted", 1000, 300)                                             \
    X(REPLAY, false, "three short flashes: a replay", 150, 200, 150, 200, 150, 500)                               \
    X(AUTH, false, "three fast double flashes: not authentic", 50, 70, 50, 250, 50, 70, 50, 250, 50, 70, 50, 500) \
    X(REFUSED, false, "two short flashes: refused for another reason", 150, 200, 150, 500)                        \
    X(SENT, false, "one short flash: sent, or a frame seen", 40, 60)

#define LARCH_LED_ENUM(name, lasts, text, ...) LARCH_LED_##name,
typedef enum larch_led_pattern { LARCH_LED_PATTERNS(LARCH_LED_ENUM) LARCH_LED_PATTERN_COUNT } larch_led_pattern;
#undef LARCH_LED_ENUM

/* "one long flash: opened, accepted" */
const char *larch_led_text(larch_led_pattern which);

/* Fields are private. */
typedef struct larch_led {
    larch_led_pattern lasting;
    larch_led_pattern passing[2]; /* under way, and next */
    uint64_t lasting_since_ms;
    uint64_t since_ms; /* the first of passing */
} larch_led;

/* Dark. */
void larch_led_init(larch_led *led);

/* Begins a pattern. now_ms never decreases from call to call, here and below. An event's pattern that is under way
 * ends first, so that a flood of events does not melt into one light; of those that come meanwhile the last is next. */
void larch_led_start(larch_led *led, larch_led_pattern which, uint64_t now_ms);

/* Whether the LED is lit. *deadline_ms is when to ask again, UINT64_MAX: not before the next start. */
bool larch_led_at(const larch_led *led, uint64_t now_ms, uint64_t *deadline_ms);

#endif
