/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of the control socket for devices that shake hands:
 *
 *     enrol NAME AUTHORITY METHOD SUITE REFERENCE
 *                                      "+HEX": the device's enrolment (larch/enrolment.h), given once. AUTHORITY "-": none.
 *                                      METHOD: 0 or 4. SUITE: its name. REFERENCE: kid or ccs
 *     accept HEX                       "+NAME": puts a credential (a CWT) on record that the authority of --ca has signed
 *     card SUITE                       "+HEX": the gateway's public credential (a CCS) for method 0 with this suite
 *     enrolled FROM                    "+NAME SESSIONS" for each such device, "+next N" if there are more
 *     revoke-device NAME               the device, its keys and sessions; any device, not only these
 */
#ifndef LARCH_APP_GATEWAY_DEVICES_H
#define LARCH_APP_GATEWAY_DEVICES_H

#include "gateway/control.h"
#include "gateway/lake.h"

typedef struct gateway_devices {
    gateway_lake *lake;
    larch_gateway *gateway;
} gateway_devices;

#define GATEWAY_DEVICES_VERBS 5
/* Fills in its verbs. devices is kept. */
void gateway_devices_verbs(gateway_devices *devices, gateway_control_verb verbs[GATEWAY_DEVICES_VERBS]);

#endif
