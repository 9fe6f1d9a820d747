/* SPDX-License-Identifier: Apache-2.0 */
/* From reset to main: registers, .data, .bss. */
    .section .start, "ax"
    .globl _start
_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    csrw mie, zero
    csrw mscratch, zero /* no task yet: every trap is a fault */
    la t0, larch_port_trap
    csrw mtvec, t0
    li t0, 0x2000 /* FS: Initial */
    csrs mstatus, t0
    fscsr zero

    la t0, __data
    la t1, __data_end
    la t2, __data_source
    j 2f
1:  lw t3, 0(t2)
    sw t3, 0(t0)
    addi t0, t0, 4
    addi t2, t2, 4
2:  bltu t0, t1, 1b

    la t0, __bss
    la t1, __bss_end
    j 4f
3:  sw zero, 0(t0)
    addi t0, t0, 4
4:  bltu t0, t1, 3b

    la t0, __interrupt_stack /* painted as FreeRTOS paints those of tasks */
    la sp, __interrupt_stack_end
    li t1, 0xa5a5a5a5
5:  sw t1, 0(t0)
    addi t0, t0, 4
    bltu t0, sp, 5b

    call main
6:  j 6b
