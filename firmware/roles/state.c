/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"
#include "board/board.h"
#include "board/nor_files.h"
#include "larch/store.h"
#include "restart.h"
#include "say.h"

static larch_nor_files files;
static larch_storage storage;

const larch_storage *larch_state_open(void)
{
    char file[LARCH_STORAGE_NAME_MAX + 1];
    larch_state_head found;
    larch_store_fault head_fault;
    larch_nor_files_fault fault;
    const larch_error e = larch_nor_files_mount(&files, larch_board_flash(), &fault);
    if (e != LARCH_OK) {
        larch_say("fault: the flash %s; it was left as it is. 'help' lists what can be done",
                  larch_nor_files_fault_text(fault));
        return NULL;
    }
    storage = larch_nor_files_storage(&files);
    if (larch_state_start(&storage, 0, NULL, &found, file, &head_fault) != LARCH_OK) {
        larch_say("fault: %s %s; it was left as it is. 'help' lists what can be done", file,
                  larch_store_fault_text(head_fault));
        return NULL;
    }
    return &storage;
}

void larch_state_format(void)
{
    larch_nor_files_fault fault;
    if (larch_nor_files_format(&files, larch_board_flash(), &fault) != LARCH_OK)
        larch_say("fault: the flash %s", larch_nor_files_fault_text(fault));
    larch_restart("the flash was erased");
}

void larch_state_say(void)
{
    larch_nor_files_status s;
    if (larch_nor_files_look(&files, &s) != LARCH_OK)
        larch_say("flash: %s", larch_nor_files_fault_text(larch_nor_files_reason(&files)));
    else
        larch_say("flash: %u bytes free, %u sectors (%u out of order), erased %u to %u times%s", s.free_bytes,
                  s.sectors, s.out_of_order, s.erases_min, s.erases_max,
                  s.stuck ? "; old bytes could not be wiped" : "");
}
