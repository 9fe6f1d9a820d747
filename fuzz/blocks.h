/* SPDX-License-Identifier: Apache-2.0 */
/* What the harnesses of block-wise transfer share: a script of bytes, and bodies that show which byte stands where. */
#ifndef LARCH_FUZZ_BLOCKS_H
#define LARCH_FUZZ_BLOCKS_H

#include "fuzz.h"
#include "larch/coap_message.h"

static inline uint8_t take(larch_reader *script)
{
    uint8_t byte;
    return larch_reader_take_u8(script, &byte) == LARCH_OK ? byte : 0;
}

/* What stands at this place of every body. */
static inline uint8_t at_place(size_t place) { return (uint8_t)(place ^ place >> 8); }

static inline void build_payload(larch_coap_builder *b, size_t place, size_t len)
{
    uint8_t *to = len > 0 ? larch_coap_build_payload_reserve(b, len) : NULL;
    for (size_t i = 0; to != NULL && i < len; i++)
        to[i] = at_place(place + i);
}

static inline bool is_whole(larch_bytes body)
{
    for (size_t i = 0; i < body.len; i++)
        if (body.data[i] != at_place(i))
            return false;
    return true;
}

/* The block that the byte describes: near num, with a length that is mostly right. */
static inline size_t pick_block(uint8_t how, uint32_t num, larch_coap_block *block)
{
    block->szx = how & 7;
    block->more = (how & 8) != 0;
    block->num = (num + (how >> 4 & 1) - (how >> 5 & 1)) & 0xfffff;
    size_t size = larch_coap_block_size(block->szx & 3);
    return (how & 64) != 0 ? size : size - 1;
}

#endif
