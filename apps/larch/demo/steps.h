/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of the demo, in their order. Each shows what it does, and returns whether everything went as it must. */
#ifndef LARCH_APP_DEMO_STEPS_H
#define LARCH_APP_DEMO_STEPS_H

#include "demo/stage.h"

/* direct.c: one sealed message */
bool demo_step_keys(demo *d);
bool demo_step_exchange(demo *d);
bool demo_step_display(demo *d);
bool demo_step_replay(demo *d);
bool demo_step_alter(demo *d);
bool demo_step_impostor(demo *d);
/* session.c: a device with keys of its own */
bool demo_step_session(demo *d);
bool demo_step_session_replay(demo *d);
bool demo_step_crash(demo *d);
/* handshake.c: devices that shake hands */
bool demo_step_handshake(demo *d);
bool demo_step_command(demo *d);
bool demo_step_rotation(demo *d);
bool demo_step_middle(demo *d);

#endif
