"""Names and paths with which a visitor might try to leave a workspace."""

from __future__ import annotations

from pathlib import Path

TARGETS = ("etc/passwd", "etc/shadow", "proc/self/environ", "root/.ssh/id_rsa", "secret.txt", "outside/secret.txt")

UPWARDS = (
    *("../" * count for count in (1, 2, 3, 5, 9, 30)),
    *(
        "./../",
        "corpora/../../",
        "corpora/./.././../",
        "checkpoints/../..//",
        "x/../../../",
        ".//..//..//",
        "a/b/../../../",
    ),
    *(
        "....//",
        "..;/",
        "..\\",
        "..\\/",
        "\\..\\..\\",
        "%2e%2e/",
        "%2e%2e%2f",
        "..%2f",
        "..%252f",
        "%252e%252e/",
        "..%5c",
    ),
    *(
        "..%c0%af",
        "..%00/",
        "%c0%ae%c0%ae/",
        "．．/",
        "․․/",
        "..∕",
        "..⁄",
        "..／",
        "‥/",
        "｡｡/",
        "..\u200b/",
        "\u202e../",
    ),
)

ABSOLUTE = (
    *("/etc/passwd", "//etc/passwd", "///etc//passwd", "/etc/./passwd", "/./etc/passwd", "/etc/../etc/passwd", "/"),
    *("/etc", "/etc/", "/root", "/home", "/var/log", "/tmp", "/boot", "/mnt", "/srv", "/opt", "/run", "/lost+found"),
    *("/proc", "/proc/self/environ", "/proc/self/cmdline", "/proc/1/environ", "/proc/self/mem", "/proc/self/fd/0"),
    *("/proc/self/root/etc/passwd", "/proc/self/cwd/../../secret.txt", "/proc/1/root/etc/passwd", "/proc/kcore"),
    *("/proc/self/task/../environ", "/proc/thread-self/environ", "/proc/self/status", "/proc/cpuinfo", "/proc/net/tcp"),
    *("/dev/zero", "/dev/stdin", "/dev/fd/0", "/dev/tty", "/dev/mem", "/dev/null", "/dev/random", "/dev/shm"),
    *("/sys/class/net", "/sys/devices/system/cpu/online", "/usr/share/zoneinfo/UTC", "/etc/localtime", "/usr/bin/env"),
)

SHELLS = (
    *("~root", "~root/.bashrc", "~/../", "~/../secret.txt", "~nobody/x.txt", "~daemon", "~/../../outside/secret.txt"),
    *(
        "$HOME/../secret.txt",
        "${HOME}/../x.txt",
        "`id`.txt",
        "$(id).txt",
        ";ls.txt",
        "|cat /etc/passwd",
        "&& id",
        "> /x",
    ),
    *(
        "C:\\Windows\\win.ini",
        "C:/Windows/win.ini",
        "\\\\server\\share\\x.txt",
        "//server/share/x.txt",
        "CON",
        "NUL.txt",
    ),
)

ADDRESSES = (
    *(
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "file://localhost/etc/passwd",
        "file:/etc/passwd",
        "file:../secret.txt",
    ),
    *("http://127.0.0.1/", "http://localhost:22/", "http://[::1]/", "http://169.254.169.254/latest/meta-data/"),
    *(
        "http://0.0.0.0/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://10.0.0.1/x.txt",
        "https://192.168.0.1/x.txt",
    ),
    *("ftp://localhost/x.txt", "gopher://localhost/", "http://user@localhost/", "http://localhost#@example.org/"),
    *(
        "data:text/plain,x",
        "jar:file:///x!/y",
        "http://example.org/x.txt",
        "unix:/run/docker.sock",
        "dict://localhost:11211/",
    ),
)

PATTERNS = (
    *("/etc/*", "/etc/pass??", "/etc/[p]asswd", "../*", "../*.txt", "*/../../*", "**/../../*.txt", "/proc/*/environ"),
    *("[.][.]/*", "link/*", "link/**", "/**/secret.txt", "corpora/../../*", "~/../*", "/*"),
)

ODD = (
    *("", " ", ".", "..", "...", "\0", "a\0b.txt", "/etc/passwd\0.txt", "../secret.txt\0", "\n", "a\nb.txt"),
    *("x" * 300, "x" * 5_000 + ".txt", "/" + "x" * 5_000, "../" * 2_000 + "etc/passwd", "é" * 200 + ".txt"),
    *("\u202etxt.exe", "\x1b[2J.txt", "\ud800.txt", "\udcff.txt", "-rf.txt", "--out=/x", "*", "?"),
    *("own.txt,/etc/passwd", "own.txt,../secret.txt", "../secret.txt,own.txt", "own.txt,link/secret.txt"),
    *("link", "corpora/link.txt", "link/secret.txt"),
    *("link/../outside/secret.txt", "corpora/link.txt/..", "loop", "loop/x.txt", "pipe", "packed.txt.gz", "packed.zip"),
)  # fmt: skip


def names(outside: Path) -> list[str]:
    """All of them, and those that lead to `outside`, a folder beside the workspace with a secret.txt."""
    absolute = str(outside / "secret.txt")
    climbing = [up + target for up in UPWARDS for target in TARGETS]
    own = [absolute, "/" + absolute, absolute.replace("/", "//"), f"file://{absolute}", absolute + "/", str(outside)]
    return [*climbing, *ABSOLUTE, *SHELLS, *ADDRESSES, *PATTERNS, *ODD, *own]
