# SPDX-License-Identifier: Apache-2.0
# RV32IMFC with single floats in registers, without atomics: the BL602's. picolibc's libraries of that kind are
# found under the older name of the instruction set, which still has the control registers in it.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv32)
set(CMAKE_C_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_ASM_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_OBJCOPY riscv64-unknown-elf-objcopy)
set(CMAKE_SIZE riscv64-unknown-elf-size)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(machine "-march=rv32imfc -mabi=ilp32f -misa-spec=2.2 -mcmodel=medany")
# Functions save and restore registers by shared code: a thirteenth less flash, for a hundredth more instructions a message.
set(CMAKE_C_FLAGS_INIT "--specs=picolibc.specs ${machine} -msave-restore")
set(CMAKE_ASM_FLAGS_INIT "${machine}")
