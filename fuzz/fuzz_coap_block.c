/* SPDX-License-Identifier: Apache-2.0 */
/* Each group of bytes is the next block of an upload to a server; a body that comes out whole must be one. */
#include "blocks.h"
#include "larch/coap_block.h"

static const larch_peer peer = {.address = {[10] = 0xff, [11] = 0xff, [15] = 1}, .port = 5683};

static larch_error count_up(void *context, uint8_t *out, size_t len)
{
    uint8_t *next = context;
    for (size_t i = 0; i < len; i++)
        out[i] = (*next)++;
    return LARCH_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    larch_reader script = larch_reader_of((larch_bytes){data, size});
    static larch_coap_reassembly reassembly;
    uint8_t random_next = 0;
    const larch_random random = {count_up, &random_next};
    uint32_t num = 0;
    uint64_t now_ms = 0;
    require(larch_coap_reassembly_init(&reassembly, &random) == LARCH_OK);
    while (script.left.len > 0) {
        uint8_t out[256], how = take(&script), who = take(&script);
        larch_coap_builder b;
        larch_coap_block block, echoed;
        larch_coap_message m;
        larch_bytes datagram, body;
        larch_peer from = peer;
        bool blockwise;
        from.port = who & 7;
        now_ms += (uint64_t)(who >> 4) * 2000;
        size_t len = pick_block(how, num, &block);
        larch_coap_build(&b, out, sizeof out, LARCH_COAP_CON, LARCH_COAP_POST, 1, (larch_bytes){NULL, 0});
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK1, block.num << 4 | (uint32_t)block.more << 3 | block.szx);
        build_payload(&b, block.num * larch_coap_block_size(block.szx), len);
        require(larch_coap_build_end(&b, &datagram) == LARCH_OK);
        require(larch_coap_parse(datagram, &m) == LARCH_OK);
        larch_error e = larch_coap_reassembly_take(&reassembly, now_ms, &from, true, &m, &blockwise, &echoed, &body);
        require(blockwise);
        require((e != LARCH_OK && e != LARCH_AGAIN) ||
                (echoed.num == block.num && echoed.more == block.more && echoed.szx == block.szx));
        require(e != LARCH_OK || (!block.more && body.len <= LARCH_COAP_UPLOAD_MAX && is_whole(body)));
        require(e != LARCH_AGAIN || (block.more && body.len == 0));
        num = e == LARCH_AGAIN ? block.num + 1 : 0;
    }
    return 0;
}
