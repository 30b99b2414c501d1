"""talk.py: writes captures of conversations that nobody held: what each side says, in turn.

    capture = Capture("file.pcap")
    talk = Talk(capture, 21)
    talk.say(SERVER, "220 ready\r\n")
    talk.close(SERVER)          # who closes first
    capture.close()
"""
import struct

CLIENT, SERVER = 0, 1
FIN, SYN, PUSH, ACK = 1, 2, 8, 16


class Capture:
    """A trace of raw IP packets, one a millisecond."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        self.count = self.talks = 0

    def write(self, packet):
        self.file.write(struct.pack("<IIII", 1000000000 + self.count // 1000, self.count % 1000 * 1000, len(packet), len(packet)) + packet)
        self.count += 1

    def close(self):
        self.file.close()


class Talk:
    """A TCP connection from 10.0.0.1 to 10.0.0.2. Checksums are 0."""

    def __init__(self, capture, port):
        capture.talks += 1
        self.capture, self.ports, self.said = capture, (40000 + capture.talks, port), [1000, 9000]
        self.segment(CLIENT, b"", SYN)
        self.segment(SERVER, b"", SYN | ACK)
        self.segment(CLIENT, b"", ACK)

    def segment(self, side, data, flags):
        tcp = struct.pack(">HHIIBBHHH", self.ports[side], self.ports[1 - side], self.said[side],
                          self.said[1 - side] if flags & ACK else 0, 5 << 4, flags, 65535, 0, 0)
        ip = struct.pack(">BBHHHBBH4B4B", 0x45, 0, 40 + len(data), 0, 0, 64, 6, 0, 10, 0, 0, 1 + side, 10, 0, 0, 2 - side)
        self.capture.write(ip + tcp + data)
        self.said[side] += len(data) + (flags & (FIN | SYN) != 0)

    def say(self, side, data):
        data = data.encode() if isinstance(data, str) else data
        for begin in range(0, len(data), 1400):
            self.segment(side, data[begin:begin + 1400], PUSH | ACK)
        self.segment(1 - side, b"", ACK)

    def close(self, first):
        self.segment(first, b"", FIN | ACK)
        self.segment(1 - first, b"", FIN | ACK)
        self.segment(first, b"", ACK)
