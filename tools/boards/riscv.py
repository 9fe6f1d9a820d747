# SPDX-License-Identifier: Apache-2.0
"""The BL602's instruction set on QEMU's "virt": RV32IMFC, so that an atomic or a double traps as it does there."""
import functools
import subprocess

EMULATOR = "qemu-system-riscv32"


@functools.cache
def cpu():
    """The value of QEMU's -cpu. Since 8.1 "rv32" has Zawrs, which needs the atomics and must go with them; before, it
    is an unknown property."""
    models = ("rv32,a=false,d=false,zawrs=false", "rv32,a=false,d=false")
    for model in models:
        # QEMU makes the machine, and stops before the first instruction.
        tried = subprocess.run([EMULATOR, "-M", "virt", "-cpu", model, "-bios", "none", "-display", "none", "-serial", "none",
                                "-monitor", "stdio", "-S"], input=b"quit\n", capture_output=True, timeout=60, check=False)
        if tried.returncode == 0:
            return model
    raise RuntimeError(f"{EMULATOR} has no RV32IMFC: {tried.stderr.decode(errors='replace')}")
