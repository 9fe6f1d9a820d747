/* SPDX-License-Identifier: Apache-2.0 */
#include "credentials.h"

#include "freertos_lwip/join.h"
#include "say.h"

static const larch_storage *kept;

static void run(larch_bytes rest) { larch_say("%s", larch_join_command_of()->run(kept, rest)); }

void larch_credentials_offer(larch_console *console, const larch_storage *storage)
{
    static larch_command command;
    const larch_join_command *join = larch_join_command_of();
    if (join == NULL)
        return;
    kept = storage;
    command = (larch_command){join->name, join->arguments, join->help, run};
    larch_console_add(console, &command);
}
