/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LARCH_APP_SNIFF_H
#define LARCH_APP_SNIFF_H

/* `larch sniff`: argv[0] is the subcommand. Returns the exit code: 0 done, 1 failed, 2 usage. */
int larch_sniff_main(int argc, char **argv);

#endif
