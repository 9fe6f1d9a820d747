/* SPDX-License-Identifier: Apache-2.0 */
/* The vector table [ARMv7-M B1.5.3], from reset to main, and the first steps of a fault. */
    .syntax unified
    .thumb

    .section .vectors, "a"
    .word __interrupt_stack_end
    .word larch_port_reset
    .rept 5 /* NMI, HardFault; MemManage, BusFault and UsageFault, which are left off and so become HardFaults */
    .word larch_port_trap
    .endr
    .rept 4
    .word 0
    .endr
    .word vPortSVCHandler
    .word larch_port_trap /* debug monitor */
    .word 0
    .word xPortPendSVHandler
    .word larch_port_tick
    .rept 32 /* LARCH_MPS2_IRQS */
    .word larch_port_irq
    .endr

    .macro function name
    .section .text.\name, "ax", %progbits
    .globl \name
    .type \name, %function
    .thumb_func
\name:
    .endm

    function larch_port_reset
    cpsid i /* until the scheduler runs */
    ldr r0, =__data
    ldr r1, =__data_end
    ldr r2, =__data_source
    b 2f
1:  ldr r3, [r2], #4
    str r3, [r0], #4
2:  cmp r0, r1
    blo 1b

    ldr r0, =__bss
    ldr r1, =__bss_end
    movs r3, #0
    b 4f
3:  str r3, [r0], #4
4:  cmp r0, r1
    blo 3b

    ldr r0, =__interrupt_stack /* painted as FreeRTOS paints those of tasks */
    ldr r1, =__interrupt_stack_end
    ldr r3, =0xa5a5a5a5
5:  str r3, [r0], #4
    cmp r0, r1
    blo 5b

    bl main
6:  b 6b

    /* The stack that was in use may be what is broken: goes on with a new one. */
    function larch_port_trap
    cpsid i
    tst lr, #4
    ite eq
    mrseq r0, msp
    mrsne r0, psp
    ldr r1, =__interrupt_stack_end
    mov sp, r1
    b larch_port_fault
