"""Loads wire.bpf.c and drives it: a flood of UDP packets into one of a host's interfaces from a thread on a core of its
own, at full speed or at a rate, and a sink on interfaces that counts how old the packets are that come back. libbpf by
ctypes; the packets and the counting are the kernel's work. What directors do with the packets is wire.py's business.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from netns import Failed, Host

FRAME_SIZE, BUCKETS, BUCKET_NS = 60, 4096, 500  # as in wire.bpf.c
_LIVE_FRAMES, _DRIVER_MODE = 1 << 1, 1 << 2
_FRAMES_A_CALL = 1 << 30  # minutes: between two calls the kernel waits for its pool of frames to come home


class _RunOptions(ctypes.Structure):
    """struct bpf_test_run_opts."""

    _fields_ = [("sz", ctypes.c_size_t), ("data_in", ctypes.c_void_p), ("data_out", ctypes.c_void_p),
                ("data_size_in", ctypes.c_uint32), ("data_size_out", ctypes.c_uint32), ("ctx_in", ctypes.c_void_p),
                ("ctx_out", ctypes.c_void_p), ("ctx_size_in", ctypes.c_uint32), ("ctx_size_out", ctypes.c_uint32),
                ("retval", ctypes.c_uint32), ("repeat", ctypes.c_int), ("duration", ctypes.c_uint32),
                ("flags", ctypes.c_uint32), ("cpu", ctypes.c_uint32), ("batch_size", ctypes.c_uint32)]


@dataclass(frozen=True)
class Flows:
    """UDP from one client, `count` source ports from 1024 on, to one address; the director's MAC is where they go."""

    mac: str
    address: str
    port: int
    client: str = "10.80.0.10"
    count: int = 10_000

    def frame(self) -> tuple[bytes, int]:
        """64 bytes on a wire, with their check sequence; and the sum that the generator completes."""
        length = FRAME_SIZE - 14
        addresses = socket.inet_aton(self.client) + socket.inet_aton(self.address)
        header = struct.pack("!BBHHHBBH", 0x45, 0, length, 0, 0x4000, 64, 17, 0) + addresses
        header = header[:10] + struct.pack("!H", ~_sum(header) & 0xffff) + header[12:]
        udp = struct.pack("!HHHH", 0, self.port, length - 20, 0) + bytes(FRAME_SIZE - 42)
        ethernet = bytes.fromhex(self.mac.replace(":", "")) + b"\x02\x00\x00\x00\x01\x0a" + b"\x08\x00"
        return ethernet + header + udp, _sum(addresses + struct.pack("!HH", 17, length - 20) + udp)


def _sum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


class Flood:
    """One loaded copy of the programs. Not for several floods at once."""

    def __init__(self, built: Path) -> None:
        """built: wire.bpf.o, of a build."""
        if not built.exists():
            raise SystemExit(f"{built} is not there: run scripts/build first")
        self._bpf = ctypes.CDLL("libbpf.so.1", use_errno=True)
        for name in ("bpf_object__open_file", "bpf_object__find_program_by_name"):
            getattr(self._bpf, name).restype = ctypes.c_void_p
        self._object = ctypes.c_void_p(self._bpf.bpf_object__open_file(str(built).encode(), None))
        if not self._object or self._bpf.bpf_object__load(self._object) != 0:
            raise Failed("the kernel doesn't take the generator's programs; see above")
        self._flood, self._sink = self._program(b"flood"), self._program(b"sink")
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._error = ""

    def _program(self, name: bytes) -> int:
        program = ctypes.c_void_p(self._bpf.bpf_object__find_program_by_name(self._object, name))
        return self._bpf.bpf_program__fd(program)

    def _map(self, name: bytes) -> int:
        return self._bpf.bpf_object__find_map_fd_by_name(self._object, name)

    def _set(self, name: bytes, key: int, value: bytes) -> None:
        if self._bpf.bpf_map_update_elem(self._map(name), struct.pack("I", key), value, ctypes.c_uint64(0)) != 0:
            raise OSError(ctypes.get_errno(), "bpf_map_update_elem")

    def end_at(self, host: Host, interface: str) -> None:
        """From now on what arrives there ends there, at little cost."""
        with host.entered():
            status = self._bpf.bpf_xdp_attach(socket.if_nametoindex(interface), self._sink, _DRIVER_MODE, None)
        if status != 0:
            raise OSError(-status, f"the sink cannot be attached to {interface}")

    def start(self, host: Host, interface: str, core: int, flows: Flows, rate: float = 0) -> None:
        """rate: packets a second, with time stamps in them; 0: as many as the core makes, without."""
        frame, partial = flows.frame()
        interval = round(1e9 / rate) if rate else 0
        with host.entered():
            index = socket.if_nametoindex(interface)
        self._set(b"settings", 0, struct.pack("IIII", index, flows.count, interval, partial) + frame)
        self._set(b"progress", 0, struct.pack("QQ", 0, time.monotonic_ns()))
        for bucket in range(BUCKETS if rate else 0):
            self._set(b"ages", bucket, bytes(8))
        self._stop.clear()
        self._error = ""
        self._thread = threading.Thread(target=self._run, args=(host, core, frame, 4 if rate else 64))
        self._thread.start()

    def _run(self, host: Host, core: int, frame: bytes, batch: int) -> None:
        os.sched_setaffinity(0, {core})
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))  # this thread
        data = ctypes.create_string_buffer(frame, len(frame))
        options = _RunOptions(sz=ctypes.sizeof(_RunOptions), data_in=ctypes.addressof(data), data_size_in=len(frame),
                              repeat=_FRAMES_A_CALL, flags=_LIVE_FRAMES, batch_size=batch)
        with host.entered():
            while not self._stop.is_set():
                status = self._bpf.bpf_prog_test_run_opts(self._flood, ctypes.byref(options))
                if status != 0 and not self._stop.is_set():
                    self._error = os.strerror(-status)
                    return

    def stop(self) -> None:
        self._stop.set()
        if self._thread:
            # A signal ends the call, but not one that hasn't begun.
            previous = signal.signal(signal.SIGUSR1, lambda *_: None)
            while self._thread.is_alive():
                signal.pthread_kill(self._thread.ident, signal.SIGUSR1)
                self._thread.join(0.02)
            signal.signal(signal.SIGUSR1, previous)
            self._thread = None
        if self._error:
            raise Failed(f"the generator stopped: {self._error}")

    def ages(self, *shares: float) -> list[float]:
        """Microseconds below which that share of the packets was when they came back; a bucket's upper end."""
        value = ctypes.create_string_buffer(8)
        counts = []
        for bucket in range(BUCKETS):
            self._bpf.bpf_map_lookup_elem(self._map(b"ages"), struct.pack("I", bucket), value)
            counts.append(struct.unpack("Q", value.raw)[0])
        places = []
        for share in shares:
            left = share * sum(counts)
            bucket = 0
            while bucket < BUCKETS - 1 and left > counts[bucket]:
                left -= counts[bucket]
                bucket += 1
            places.append((bucket + 1) * BUCKET_NS / 1000)
        return places

    def close(self) -> None:
        self.stop()
        self._bpf.bpf_object__close(self._object)
