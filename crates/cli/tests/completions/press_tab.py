"""Types lines into a shell on a terminal of its own, Tabs among them, and prints what becomes of each.

Usage: press_tab.py RESULT SHELL [ARGUMENT ...] < lines

The file that the shell reads at its start sets the prompt READY>, and binds Ctrl-O to append the line as it
is to the file RESULT.
"""

import os
import pty
import select
import sys
import time

PATIENCE = 120  # seconds without which a shell that hangs would hang the test


def main():
    result, shell = sys.argv[1], sys.argv[2:]
    lines = sys.stdin.read().splitlines()
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(shell[0], shell)
    screen, deadline = bytearray(), time.monotonic() + PATIENCE

    def wait_until(is_there):
        while not is_there():
            if time.monotonic() > deadline:
                sys.exit("the shell does not answer: " + screen.decode(errors="replace"))
            if select.select([terminal], [], [], 0.1)[0]:
                try:
                    shown = os.read(terminal, 65536)
                except OSError:
                    sys.exit("the shell ended: " + screen.decode(errors="replace"))
                screen.extend(shown)
                if b"\x1b[c" in shown or b"\x1b[0c" in shown:
                    os.write(terminal, b"\x1b[?62c")  # fish 4 asks for the kind of terminal, and waits

    def results():
        try:
            with open(result, encoding="utf-8") as file:
                return file.read().split("\n")[:-1]
        except FileNotFoundError:
            return []

    wait_until(lambda: b"READY>" in screen)
    for number, line in enumerate(lines, 1):
        os.write(terminal, line.encode() + b"\x0f")
        wait_until(lambda: len(results()) >= number)
        os.write(terminal, b"\x15")  # Ctrl-U: an empty line again
    print("\n".join(results()))
    os.close(terminal)
    os.waitpid(child, 0)


main()
