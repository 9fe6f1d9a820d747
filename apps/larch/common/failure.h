/* SPDX-License-Identifier: Apache-2.0 */
/* Why a sender failed, for people: the cause, the gateway's words if they are the cause, and what to do next. */
#ifndef LARCH_APP_FAILURE_H
#define LARCH_APP_FAILURE_H

#include "larch/sender.h"

#define LARCH_APP_FAILURE_MAX 512

/* "the gateway refused the request (5.03 try later); its answer ..." into text, as much as fits; the answer is untrusted
 * and comes out plain. sender: FAILED. */
void larch_app_failure(const larch_sender *sender, char text[LARCH_APP_FAILURE_MAX]);

#endif
