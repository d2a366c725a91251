"""The system calls a profiling process never needs, refused by the kernel for the rest of its life (seccomp).

A second wall behind the namespaces of `jail`: even with a parser taken over there is no socket, no other program, no
child process, no tracing, no mounting. It must be raised before the first thread starts, because it covers the calling
thread and those born of it.
"""

from __future__ import annotations

import ctypes
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, JUMP_IF_SET, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
EPERM, ENOSYS = 1, 38
NUMBER_AT, ARCHITECTURE_AT, FIRST_ARGUMENT_AT = 0, 4, 16  # offsets in struct seccomp_data
CLONE_THREAD = 0x00010000
X32_CALLS_FROM = 0x40000000

# AUDIT_ARCH_* of linux/audit.h, the number of clone, and the column of the table below
ARCHITECTURES = {"x86_64": (0xC000003E, 56, 0), "aarch64": (0xC00000B7, 220, 1)}
CLONE3 = 435  # its flags lie behind a pointer; told that it is unknown, libc falls back to clone

# From asm/unistd_64.h and asm-generic/unistd.h; None where the architecture lacks the call.
REFUSED: dict[str, tuple[int | None, int | None]] = {
    **{"socket": (41, 198), "socketpair": (53, 199), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202)},
    **{"connect": (42, 203), "sendto": (44, 206), "sendmsg": (46, 211), "accept4": (288, 242)},
    **{"execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None), "setsid": (112, 157)},
    **{"setpgid": (109, 154), "kill": (62, 129), "tkill": (200, 130), "ptrace": (101, 117), "pidfd_open": (434, 434)},
    **{"process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "pidfd_getfd": (438, 438)},
    **{"unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41)},
    **{"chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430)},
    **{"mount_setattr": (442, 442), "mknod": (133, None), "mknodat": (259, 33), "open_by_handle_at": (304, 265)},
    **{"add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "bpf": (321, 280)},
    **{"perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425)},
    **{"io_uring_enter": (426, 426), "io_uring_register": (427, 427), "init_module": (175, 105)},
    **{"finit_module": (313, 273), "kexec_load": (246, 104), "memfd_create": (319, 279), "shmget": (29, 194)},
}


def refuse() -> bool:
    """Refuse `REFUSED` from here on. Answers False where this is not Linux on a processor we know the numbers of."""
    if sys.platform != "linux" or platform.machine() not in ARCHITECTURES:
        return False
    steps = filter_steps(*ARCHITECTURES[platform.machine()])
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program)))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return bool(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0) == 0)


def filter_steps(architecture: int, clone: int, column: int) -> list[tuple[int, int, int, int]]:
    """The filter as (operation, steps to skip if true, steps to skip if false, operand)."""
    steps = [
        (LOAD, 0, 0, ARCHITECTURE_AT),
        (JUMP_IF_EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL),  # a 32-bit call: other numbers, other rules
        (LOAD, 0, 0, NUMBER_AT),
        (JUMP_IF_AT_LEAST, 0, 1, X32_CALLS_FROM),
        (RETURN, 0, 0, ERRNO | ENOSYS),
        (JUMP_IF_EQUAL, 0, 1, CLONE3),
        (RETURN, 0, 0, ERRNO | ENOSYS),
    ]
    for numbers in REFUSED.values():
        number = numbers[column]
        if number is not None:
            steps += [(JUMP_IF_EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | EPERM)]
    return [
        *steps,
        (JUMP_IF_EQUAL, 0, 3, clone),
        (LOAD, 0, 0, FIRST_ARGUMENT_AT),
        (JUMP_IF_SET, 1, 0, CLONE_THREAD),  # threads yes, processes no
        (RETURN, 0, 0, ERRNO | EPERM),
        (RETURN, 0, 0, ALLOW),
    ]
