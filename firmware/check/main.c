/* SPDX-License-Identifier: Apache-2.0 */
#include "FreeRTOS.h"
#include "board/board.h"
#include "task.h"

#include "check.h"

static void run(void *unused)
{
    (void)unused;
    larch_check_say("check of ");
    larch_check_say(larch_board_name);
    larch_check_say("\n");
    larch_check_kernel();
    larch_check_devices();
    const bool joined = larch_check_join();
    larch_check_say_stacks();
    larch_check_say(larch_check_all_passed() ? "all passed\n" : "some FAILED\n");
    if (joined)
        larch_check_echo();
    for (;;)
        vTaskDelay(portMAX_DELAY);
}

int main(void)
{
    larch_board_init();
    larch_check_start(run);
    vTaskStartScheduler();
    larch_board_restart();
}
