/* inject PID CALL: makes a running process call the kernel as if an attacker had taken it over, by changing
 * the number of its next system call. What the kernel then does is what its sandbox is worth. Needs root, or
 * the right to trace the process. */
#include <errno.h>
#include <linux/elf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

static const struct {
    const char *name;
    long number;
} calls[] = {
    {"openat", SYS_openat}, {"execve", SYS_execve},     {"clone", SYS_clone},   {"connect", SYS_connect},
    {"kill", SYS_kill},     {"ptrace", SYS_ptrace},     {"mount", SYS_mount},   {"setuid", SYS_setuid},
    {"bpf", SYS_bpf},       {"unlinkat", SYS_unlinkat}, {"socket", SYS_socket},
};

static long find_call(const char *name)
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (strcmp(calls[i].name, name) == 0)
            return calls[i].number;
    }
    fprintf(stderr, "inject: no such call: %s\n", name);
    exit(EXIT_FAILURE);
}

static void fail(const char *what)
{
    fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

/* The process stands at the entry of a system call: let it be this one, and its first argument 0. What that
 * was may be what the sandbox allows of this call. */
static void replace_call(pid_t pid, long number)
{
#if defined(__x86_64__)
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, pid, NULL, &registers) < 0)
        fail("cannot read the registers");
    registers.orig_rax = (unsigned long long)number;
    registers.rdi = 0;
    if (ptrace(PTRACE_SETREGS, pid, NULL, &registers) < 0)
        fail("cannot set the registers");
#elif defined(__aarch64__)
    int value = (int)number;
    struct iovec data = {.iov_base = &value, .iov_len = sizeof value};
    if (ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &data) < 0)
        fail("cannot set the system call");
    struct user_regs_struct registers;
    data = (struct iovec){.iov_base = &registers, .iov_len = sizeof registers};
    if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &data) < 0)
        fail("cannot read the registers");
    registers.regs[0] = 0;
    if (ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &data) < 0)
        fail("cannot set the registers");
#else
#error "say here how a system call is replaced on this architecture"
#endif
}

int main(int argc, char *argv[])
{
    if (argc != 3)
        return EXIT_FAILURE;
    pid_t pid = (pid_t)strtol(argv[1], NULL, 10);
    long number = find_call(argv[2]);
    int status;
    if (ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACESYSGOOD) < 0 ||
        ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) != pid)
        fail("cannot trace the process");
    if (ptrace(PTRACE_SYSCALL, pid, NULL, 0) < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
        WSTOPSIG(status) != (SIGTRAP | 0x80))
        fail("the process did not come to a system call");
    replace_call(pid, number);
    if (ptrace(PTRACE_DETACH, pid, NULL, 0) < 0)
        fail("cannot let go of the process");
    return EXIT_SUCCESS;
}
