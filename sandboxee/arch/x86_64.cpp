// The return from a signal handler. Unwinders (exceptions, pthread_cancel, debuggers) know a
// signal frame by these very bytes, and look one byte before the label, which is why a nop stands
// there: no function may end at it.
asm(R"(
  .text
  .balign 16
  nop
  .globl torno_signal_return
  .hidden torno_signal_return
  .type torno_signal_return, @function
torno_signal_return:
  movq $15, %rax
  syscall
  .size torno_signal_return, . - torno_signal_return
)");
