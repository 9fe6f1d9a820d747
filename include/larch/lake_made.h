/* SPDX-License-Identifier: Apache-2.0 */
/* What a handshake leaves to be stored, at either end. */
#ifndef LARCH_LAKE_MADE_H
#define LARCH_LAKE_MADE_H

#include "larch/lake.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_LAKE_PATH ".well-known/edhoc" /* [RFC9528 A.2] */

/* Secret: whoever stores it wipes its copies. */
typedef struct larch_lake_made {
    const larch_lake_suite *suite;
    uint8_t method;
    larch_lake_oscore oscore;   /* of the session */
    larch_lake_resumption next; /* rPSK and rKID of the next handshake */
    uint64_t stamp;             /* the Responder's: what its `stamp` said when message_2 left */
    uint64_t unix_s;            /* the Initiator's: the Responder's wall clock, authenticated; 0: it was not given */
} larch_lake_made;

#ifdef __cplusplus
}
#endif

#endif
