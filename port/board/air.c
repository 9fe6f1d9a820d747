/* SPDX-License-Identifier: Apache-2.0 */
#include "air.h"

#define PAYLOAD_MAX 1500   /* of Ethernet; a greater type field is a type [802.3 3.2.6] */
#define TYPE_MIN    0x0600 /* what lies between is undefined */

#define CONTROL_LEN_MIN 10 /* the shortest frame of 802.11, an acknowledgement, without its check sequence */

static const uint8_t data_from_ap[4] = {0x08, 0x02, 0, 0}; /* frame control, duration */
static const uint8_t bssid[6] = LARCH_AIR_BSSID;
static const uint8_t llc_snap[6] = {0xaa, 0xaa, 0x03, 0, 0, 0}; /* the EtherType follows [RFC1042] */

static larch_error hear_carried(larch_reader *r, larch_board_frame *frame)
{
    uint8_t channel, dbm;
    if (larch_reader_take_u8(r, &channel) != LARCH_OK || larch_reader_take_u8(r, &dbm) != LARCH_OK ||
        channel < LARCH_BOARD_CHANNEL_MIN || channel > LARCH_BOARD_CHANNEL_MAX || r->left.len < CONTROL_LEN_MIN)
        return LARCH_MALFORMED;
    frame->channel = channel;
    frame->signal_dbm = (int8_t)dbm;
    frame->bytes = r->left;
    return LARCH_OK;
}

larch_error larch_air_hear(larch_bytes ethernet, uint16_t *sequence, uint8_t out[LARCH_AIR_MAX],
                           larch_board_frame *frame)
{
    larch_reader r = larch_reader_of(ethernet);
    larch_bytes to, from, payload;
    uint16_t type;
    if (larch_reader_take(&r, 6, &to) != LARCH_OK || larch_reader_take(&r, 6, &from) != LARCH_OK ||
        larch_reader_take_u16(&r, &type) != LARCH_OK)
        return LARCH_MALFORMED;
    if (type == LARCH_AIR_ETHERTYPE)
        return hear_carried(&r, frame);

    /* A length instead of a type: LLC is in the frame already, and padding may follow it. */
    bool has_llc = type <= PAYLOAD_MAX;
    if ((!has_llc && type < TYPE_MIN) || r.left.len > PAYLOAD_MAX ||
        larch_reader_take(&r, has_llc ? type : r.left.len, &payload) != LARCH_OK)
        return LARCH_MALFORMED;

    larch_writer w = larch_writer_to(out, LARCH_AIR_MAX);
    larch_writer_put(&w, LARCH_BYTES(data_from_ap));
    larch_writer_put(&w, to);
    larch_writer_put(&w, LARCH_BYTES(bssid));
    larch_writer_put(&w, from);
    larch_writer_put_u16le(&w, (uint16_t)(*sequence << 4)); /* fragment 0 */
    if (!has_llc) {
        larch_writer_put(&w, LARCH_BYTES(llc_snap));
        larch_writer_put_u16(&w, type);
    }
    larch_writer_put(&w, payload);
    larch_bytes bytes;
    larch_error error = larch_writer_finish(&w, &bytes);
    if (error != LARCH_OK)
        return error;
    *sequence = (uint16_t)((*sequence + 1) & 0x0fff);
    frame->channel = LARCH_AIR_AP_CHANNEL;
    frame->signal_dbm = LARCH_AIR_AP_DBM;
    frame->bytes = bytes;
    return LARCH_OK;
}
