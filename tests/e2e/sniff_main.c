/* SPDX-License-Identifier: Apache-2.0 */
/* `larch sniff` by itself, so that its tests need no other subcommand. */
#include "sniff.h"

int main(int argc, char **argv) { return larch_sniff_main(argc, argv); }
