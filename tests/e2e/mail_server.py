"""mail_server.py FILE ADDRESS PORT [MODE [WORD]]: a mail server that keeps what it was told, a line of JSON per
connection: {"commands": [...], "data": "...", "ended": how}.

MODE: well; silent (accepts and says nothing); quiet (says its banner and then nothing); wordy (every reply has three
lines); refuse (says 550 to a recipient with WORD in it); broken (answers HELO with 421 and hangs up); drip (a byte of an
endless banner every 50 ms).
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
import time


class Conversation:
    def __init__(self, connection: socket.socket, mode: str, word: str) -> None:
        self.connection = connection
        self.lines = connection.makefile("rb")
        self.mode = mode
        self.word = word
        self.seen: dict = {"commands": [], "data": "", "ended": "cut off"}

    def say(self, code: int, text: str) -> None:
        before = f"{code}-one\r\n{code}-two\r\n" if self.mode == "wordy" else ""
        self.connection.sendall(f"{before}{code} {text}\r\n".encode())

    def run(self) -> dict:
        with contextlib.suppress(OSError):
            if self.mode == "drip":
                while True:
                    self.connection.sendall(b"x")
                    time.sleep(0.05)
            if self.mode != "silent":
                self.say(220, "mail.example ready")
            for line in self.lines:
                command = line.decode(errors="replace").rstrip("\r\n")
                self.seen["commands"].append(command)
                if self.mode in ("silent", "quiet"):
                    continue
                if not self.answer(command):
                    break
        return self.seen

    def answer(self, command: str) -> bool:
        verb = command.split(":")[0].upper().split()[0] if command.strip() else ""
        if verb == "HELO" and self.mode == "broken":
            self.say(421, "not today")
            return False
        if verb == "RCPT" and self.mode == "refuse" and self.word in command:
            self.say(550, "no such user here")
        elif verb == "DATA":
            self.say(354, "go on")
            if not self.take_data():
                return False
            self.say(250, "taken")
        elif verb == "QUIT":
            self.seen["ended"] = "quit"
            self.say(221, "bye")
            return False
        else:
            self.say(250, "fine")
        return True

    def take_data(self) -> bool:
        for line in self.lines:
            if line == b".\r\n":
                return True
            self.seen["data"] += line.decode(errors="replace")
        return False


def main() -> None:
    path, address, port, mode, word = (sys.argv[1:] + ["well", "-"][len(sys.argv) - 4:])[:5]
    listener = socket.create_server((address, int(port)), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    writing = threading.Lock()

    def serve(connection: socket.socket) -> None:
        with connection:
            seen = Conversation(connection, mode, word).run()
        with writing, open(path, "a") as out:
            out.write(json.dumps(seen) + "\n")

    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


if __name__ == "__main__":
    main()
