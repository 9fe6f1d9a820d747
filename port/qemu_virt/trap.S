/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every trap: saves the task's registers on its own stack, runs the handler on the interrupt stack, goes on with the task
 * that FreeRTOS then names. Interrupts stay off meanwhile.
 *
 * A saved task, from its stack pointer up:
 *   0 mepc  4 mstatus  8 x1  12 x5 ... 116 x31  120 unused  128 f0 ... 252 f31  256 fcsr
 * The floating-point part is there only if mstatus says that the task has used those registers (FS is Clean or Dirty), so
 * that the others pay neither time nor stack for it. gp and tp are the same for all.
 *
 * mscratch holds the interrupt stack while a task runs, and 0 while none does: a trap that finds 0 there, be it because
 * a task's stack pointer is wild, is a fault, and can still be reported.
 */
#define FRAME       128
#define FLOAT_FRAME 144

    .macro each_x operation base /* all but t0 */
    \operation x1, 8(\base)
    .irp n, 6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    \operation x\n, (4 * \n - 8)(\base)
    .endr
    .endm

    .macro each_f operation base
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    \operation f\n, (4 * \n)(\base)
    .endr
    .endm

    .macro leave frame
    each_x lw, sp
    la t0, __interrupt_stack_end
    csrw mscratch, t0
    lw t0, 12(sp)
    addi sp, sp, \frame
    mret
    .endm

    .section .text.larch_port_trap, "ax"
    .align 2 /* mtvec's low bits are its mode */
    .globl larch_port_trap
larch_port_trap:
    csrrw sp, mscratch, sp
    beqz sp, fault
    sw t0, -4(sp)
    sw t1, -8(sp)
    csrrw t0, mscratch, zero
    csrr t1, mstatus
    slli t1, t1, 17 /* the upper bit of FS becomes the sign */
    bgez t1, 1f
    addi t0, t0, -FLOAT_FRAME
    each_f fsw, t0
    frcsr t1
    sw t1, 128(t0)
1:  addi t0, t0, -FRAME
    lw t1, -8(sp)
    each_x sw, t0
    lw t1, -4(sp)
    sw t1, 12(t0)
    csrr t1, mepc
    sw t1, 0(t0)
    csrr t1, mstatus
    sw t1, 4(t0)
    lw t1, pxCurrentTCB
    sw t0, 0(t1) /* its first member is the stack pointer */

    csrr a0, mcause
    csrr a1, mtval
    mv a2, t0
    call larch_port_on_trap

    .globl larch_port_resume /* also how the first task starts */
larch_port_resume:
    lw t1, pxCurrentTCB
    lw sp, 0(t1)
    lw t0, 0(sp)
    csrw mepc, t0
    lw t1, 4(sp)
    slli t0, t1, 17
    bltz t0, 2f
    fscsr zero /* a task new to floating point starts with the usual rounding */
    csrw mstatus, t1
    leave FRAME
2:  csrw mstatus, t1
    lw t0, FRAME + 128(sp)
    fscsr t0
    addi t0, sp, FRAME
    each_f flw, t0
    leave FRAME + FLOAT_FRAME

fault:
    la sp, __interrupt_stack_end
    csrr a0, mcause
    csrr a1, mtval
    csrr a2, mepc
    call larch_port_fault
