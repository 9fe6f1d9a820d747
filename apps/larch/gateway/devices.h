/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of the control socket for devices, most of which shake hands:
 *
 *     enrol-devices AUTHORITY METHOD SUITE REFERENCE DEVICES
 *                                      "+NAME HEX" for each of DEVICES, NAME or NAME/POLICY with "//" between two: its enrolment
 *                                      (larch/enrolment.h), given once; "+NAME - WHY": it was not added. All are one change.
 *                                      AUTHORITY "-": none. METHOD: 0 or 4. SUITE: its name. REFERENCE: kid or ccs. POLICY:
 *                                      common/policy_word.h
 *     enrol-key AUTHORITY SUITE KID SECRET DEVICE
 *                                      likewise one device of method 4, with a key that comes from elsewhere, in hexadecimal
 *     accept HEX                       "+NAME": puts a credential (a CWT) on record that the authority of --ca has signed
 *     card SUITE                       "+HEX": the gateway's public credential (a CCS) for method 0 with this suite
 *     list NAME                        the devices behind NAME (":": all), by their names: for each session of each
 *                                      "+NAME KID ADDRESS OWN LEFT RECEIVED FAILED EXPIRES HEARD METHOD SUITE", KID "none" if
 *                                      it has none; "+next NAME" if there are more
 *     show NAME                        the same of one device, "+allow PATH" for each entry of its policy, "+waiting N": commands
 *     revoke-device NAME               the device, its keys, sessions and commands
 *     forget-device NAME               likewise, and its last readings: "+N", how many
 */
#ifndef LARCH_APP_GATEWAY_DEVICES_H
#define LARCH_APP_GATEWAY_DEVICES_H

#include "gateway/control.h"
#include "gateway/lake.h"
#include "gateway/queue.h"

typedef struct gateway_devices {
    gateway_lake *lake;
    larch_gateway *gateway;
    const gateway_queue *queue;
} gateway_devices;

#define GATEWAY_DEVICES_VERBS 8
/* Fills in its verbs. devices is kept. */
void gateway_devices_verbs(gateway_devices *devices, gateway_control_verb verbs[GATEWAY_DEVICES_VERBS]);

#endif
