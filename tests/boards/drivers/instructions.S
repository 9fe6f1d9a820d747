/* SPDX-License-Identifier: Apache-2.0 */
/* Tries the instruction word WORD alone; QEMU then ends with 0 if it ran, with 2 if it was illegal, else with another cause. */
.text
.globl _start
_start:
    la t0, trapped
    csrw mtvec, t0
    li t0, 0x2000 /* mstatus.FS: a floating-point unit that is there may be used */
    csrs mstatus, t0
    la sp, place
    .word WORD
    li t0, 0x5555
    j end
.balign 4
trapped:
    csrr t0, mcause
    slli t0, t0, 16
    li t1, 0x3333
    or t0, t0, t1
end:
    li t1, 0x100000 /* the machine's switch */
    sw t0, 0(t1)
    j end
.balign 4
place:
    .word 0
