"""Starts one Python program in a disposable jail: `python -I -S -B jail.py PLAN`, with PLAN as JSON.

Two processes: this one keeps the time and reaps; its child walks into the jail and becomes the program. On Linux the
child gets new user, mount, process, network, IPC and host-name namespaces, a root folder that is an empty read-only
tmpfs with the interpreter, the shared libraries, the Python packages and one input file bound read-only into it (no
/proc, /dev, /etc), no capability, and limits on memory, processor time, open files and written bytes. All of it needs
only libc and works for root and for an ordinary user. The program's user is the caller's, seen from inside as 65534,
so that an interpreter under a private home folder still works.

What the machine refuses is left out and said so: before the program starts, the child writes the facts
`{network, files, processes, memory}` to the descriptor the plan names. With `required` it stops instead.

Exit status: the program's own, 128 + the signal that ended it, or one of the three below.
"""

from __future__ import annotations

import bz2  # noqa: F401 - imported so that the shared libraries they need appear among the mapped files
import contextlib
import ctypes
import hashlib  # noqa: F401
import json
import lzma  # noqa: F401
import os
import resource
import signal
import sys
import zlib  # noqa: F401
from typing import Any

TOOK_TOO_LONG, NOT_GRANTED, JAIL_BROKE = 124, 96, 97

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
NOBODY = 65534
PROGRESS_PIPE = 3  # where the program writes how far it is
STACK_BYTES = 8 * 1024 * 1024  # also what each thread of the program reserves; 1,000 columns need 2 MB
ROOT_IS_BUILT_ON = "/tmp"  # noqa: S108 - any folder that surely exists; covered only inside the new mount namespace

libc = ctypes.CDLL(None, use_errno=True)


def main(plan: dict[str, Any]) -> int:
    """Run the planned program and return this process's exit status."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGALRM, _stop)
    die_with_parent(signal.SIGTERM)
    facts = {"network": False, "files": False, "processes": False, "memory": False}
    paths = plan["read"] + mapped_library_folders()
    has_namespaces = enter_namespaces()
    child = os.fork()
    if child == 0:
        try:
            become_the_program(plan, paths, facts, has_namespaces)
        except BaseException as problem:
            os.write(2, f"jail: {problem!r}\n".encode())
        os._exit(JAIL_BROKE)
    os.closerange(0, 3)  # the caller hears the end when the program closes its own, not when this process does
    try:
        signal.setitimer(signal.ITIMER_REAL, plan["timeout_seconds"])
        _, status = os.waitpid(child, 0)
    except Stopped:
        os.kill(child, signal.SIGKILL)  # the first process of its namespace: everything in it dies with it
        os.waitpid(child, 0)
        return TOOK_TOO_LONG
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


class Stopped(BaseException):
    """The time is up, or the caller wants or is gone."""


def _stop(signum: int, frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stopped


def become_the_program(plan: dict[str, Any], paths: list[str], facts: dict[str, bool], has_namespaces: bool) -> None:
    """Walk into the jail, tell the facts, and never return."""
    die_with_parent(signal.SIGKILL)
    input_path, package_parent = plan["input"], os.path.dirname(plan["package"])
    if has_namespaces:
        facts["network"] = facts["processes"] = True
        facts["files"] = change_root(paths, {plan["package"]: "/profiler", input_path: "/input"})
    if facts["files"]:
        input_path, package_parent = "/input" if input_path else "", "/"
    facts["memory"] = set_limits(plan["memory_bytes"], plan["timeout_seconds"], counts_processes=has_namespaces)
    drop_privileges()
    os.write(plan["facts"], json.dumps(facts).encode())
    if plan["required"] and not all(facts.values()):
        os._exit(NOT_GRANTED)
    arguments = [*plan["site_packages"], package_parent]
    program = f"import sys\nsys.path += {arguments!r}\nINPUT = {input_path!r}\n{plan['program']}"
    os.dup2(plan["progress"], PROGRESS_PIPE)
    os.closerange(PROGRESS_PIPE + 1, 1024)
    os.execve(plan["python"], [plan["python"], "-I", "-S", "-B", "-X", "utf8", "-c", program], {})  # noqa: S606


def enter_namespaces() -> bool:
    """New namespaces for this process (mount, network, IPC, host name) and its next child (processes)."""
    if sys.platform != "linux":
        return False
    user, group = os.geteuid(), os.getegid()
    with contextlib.suppress(OSError):  # an ordinary user keeps its groups; they open nothing that is inside the jail
        os.setgroups([])
    rest = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
    if libc.unshare(CLONE_NEWUSER | rest) == 0:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{NOBODY} {user} 1"),
            ("gid_map", f"{NOBODY} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        return True
    return libc.unshare(rest) == 0  # root where user namespaces are switched off


def change_root(paths: list[str], renamed: dict[str, str]) -> bool:
    """Make an empty read-only tmpfs the root, with `paths` bound read-only at their own places and `renamed` at theirs.

    Answers False, with everything visible as before, if the machine refuses a step.
    """
    places = {os.path.realpath(path): os.path.realpath(path) for path in paths if os.path.exists(path)}
    places |= {os.path.realpath(path): place for path, place in renamed.items() if path}
    sources = {place: os.open(path, os.O_PATH | os.O_CLOEXEC) for path, place in places.items()}
    is_folder = {place: os.path.isdir(path) for path, place in places.items()}
    root = ROOT_IS_BUILT_ON
    try:
        mount("none", "/", "", MS_REC | MS_PRIVATE)
        mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=1m")
    except OSError:
        return False
    try:
        for place in sorted(sources):
            if not lies_within(place, sources):
                bind(f"/proc/self/fd/{sources[place]}", root + place, is_folder[place])
        for link in ("/lib", "/lib64", "/usr/lib64"):
            if os.path.islink(link) and not os.path.lexists(root + link):
                os.makedirs(os.path.dirname(root + link), exist_ok=True)
                os.symlink(os.readlink(link), root + link)
        os.chdir(root)
        check(libc.pivot_root(b".", b"."))
    except OSError as problem:
        os.write(2, f"jail: {problem!r}\n".encode())
        os.chdir("/")
        libc.umount2(root.encode(), MNT_DETACH)
        return False
    check(libc.umount2(b".", MNT_DETACH))  # the old root, stacked on the new one
    os.chdir("/")
    mount("none", "/", "", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
    return True


def bind(source: str, target: str, is_folder: bool) -> None:
    """Bind `source` read-only at `target`. Flags the caller's mount locks (as noexec) must be repeated."""
    if is_folder:
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o400))
    mount(source, target, "", MS_BIND)
    kept = os.statvfs(target).f_flag & (MS_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME | os.ST_RELATIME)
    relatime = 1 << 21 if kept & os.ST_RELATIME else 0  # the one flag whose number differs between statvfs and mount
    mount(
        "none", target, "", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | kept & ~os.ST_RELATIME | relatime
    )


def lies_within(place: str, folders: dict[str, int]) -> bool:
    """A folder above `place` is bound already."""
    parent = os.path.dirname(place)
    while parent != "/":
        if parent in folders:
            return True
        parent = os.path.dirname(parent)
    return False


def mapped_library_folders() -> list[str]:
    """The folders of the shared libraries this interpreter uses, and those of the loader."""
    folders = {folder for folder in ("/lib64", "/usr/lib64") if os.path.isdir(folder)}
    try:
        with open("/proc/self/maps") as maps:
            for line in maps:
                path = line.split(maxsplit=5)[-1].strip()
                if path.startswith("/") and ".so" in os.path.basename(path):
                    folders.add(os.path.dirname(path))
    except OSError:
        pass  # not Linux: there is no new root to fill
    return sorted(folders)


def set_limits(memory_bytes: int, timeout_seconds: int, counts_processes: bool) -> bool:
    """Limit what the program may use. Answers whether the memory limit was accepted."""
    limits = {"CPU": 4 * timeout_seconds + 10, "FSIZE": 0, "CORE": 0, "NOFILE": 64, "STACK": STACK_BYTES}
    if counts_processes and kernel_version() >= (5, 14):  # before, a limit counted the user's processes outside too
        limits["NPROC"] = 64
    for name, limit in limits.items():
        limit_to(name, limit)
    return limit_to("AS", memory_bytes)


def limit_to(name: str, limit: int) -> bool:
    kind = getattr(resource, f"RLIMIT_{name}")
    _, hard = resource.getrlimit(kind)
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    try:
        resource.setrlimit(kind, (limit, limit))
    except (OSError, ValueError):
        return False
    return True


def drop_privileges() -> None:
    """No capability now, none by executing anything, and none to be inherited."""
    if sys.platform != "linux":
        return
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    check(libc.capset(header, (ctypes.c_uint32 * 6)()))
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def die_with_parent(signum: int) -> None:
    if sys.platform == "linux":
        check(libc.prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0))


def kernel_version() -> tuple[int, ...]:
    return tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    arguments = (
        source.encode(),
        target.encode(),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        options.encode() or None,
    )
    check(libc.mount(*arguments), target)


def check(answer: int, about: str = "") -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), about)


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
